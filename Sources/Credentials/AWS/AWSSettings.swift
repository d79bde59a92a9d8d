// Where AWS's services are: region, endpoints and authorities, from the environment and the profile in force.

internal import Gateway
internal import Kernel

/// The environment's variables count before the profile's settings.
package struct AWSSettings: Sendable {
    /// AWS_REGION, AWS_DEFAULT_REGION or the profile's `region`. Letters, digits and hyphens.
    package let region: String?
    /// A file of certificates in place of the system's: AWS_CA_BUNDLE, or the profile's `ca_bundle`.
    package let authorities: String?

    private let around: AWSSurroundings
    private let profiles: AWSProfiles

    /// Reads the files of profiles.
    ///
    /// - Throws: where one is malformed, or the profile that AWS_PROFILE names is nowhere.
    package init(_ around: AWSSurroundings) throws(AWSCredentialFault) {
        // Who takes credentials from the files warns of what is wrong with their permissions.
        try self.init(around, profiles: AWSProfiles(around.silent))
    }

    init(_ around: AWSSurroundings, profiles: AWSProfiles) throws(AWSCredentialFault) {
        self.around = around
        self.profiles = profiles
        if let variable = profiles.namedBy, profiles.current == nil { throw .noProfile(profiles.name, variable, profiles) }
        let region = around.variable("AWS_REGION") ?? around.variable("AWS_DEFAULT_REGION") ?? profiles.current?[.region]
        if let region, !AWSSettings.isRegion(region) {
            throw AWSCredentialFault(isPassing: false, "the AWS region is no region such as eu-central-1: mend AWS_REGION, AWS_DEFAULT_REGION or the profile's region")
        }
        self.region = region
        authorities = around.variable("AWS_CA_BUNDLE") ?? profiles.current?[.authorities]
    }

    /// A service's address, without a slash at its end: what is configured for it (AWS_ENDPOINT_URL_SERVICE, AWS_ENDPOINT_URL, the profile's
    /// `services` section and `endpoint_url`), else its regional one.
    ///
    /// - Parameters:
    ///   - service: as in host names and settings, such as `ssm`.
    ///   - region: as `isRegion` has it.
    package func endpoint(of service: String, in region: String) -> String {
        configuredEndpoint(of: service) ?? standardEndpoint(of: service, in: region)
    }

    package static func isRegion(_ text: String) -> Bool {
        (1...40).contains(text.utf8.count)
            && text.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == UInt8(ascii: "-") }
    }

    func configuredEndpoint(of service: String) -> String? {
        guard !isTrue("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", .ignoresEndpoints) else { return nil }
        let name = String(decoding: service.utf8.map { (97...122).contains($0) ? $0 - 32 : $0 }, as: UTF8.self)
        let profile = profiles.current
        let url =
            around.variable("AWS_ENDPOINT_URL_\(name)") ?? around.variable("AWS_ENDPOINT_URL")
            ?? profile?[.services].flatMap { profiles.endpoint(of: service, named: $0) } ?? profile?[.endpoint]
        return url.map { $0.utf8.last == UInt8(ascii: "/") ? String($0.dropLast()) : $0 }
    }

    private func standardEndpoint(of service: String, in region: String) -> String {
        let host = isTrue("AWS_USE_FIPS_ENDPOINT", .fips) ? "\(service)-fips.\(region)" : "\(service).\(region)"
        let isChinese = region.utf8.starts(with: "cn-".utf8)
        if isTrue("AWS_USE_DUALSTACK_ENDPOINT", .dualStack) {
            return "https://\(host).\(isChinese ? "api.amazonwebservices.com.cn" : "api.aws")"
        }
        return "https://\(host).\(isChinese ? "amazonaws.com.cn" : "amazonaws.com")"
    }

    private func isTrue(_ variable: String, _ setting: AWSSetting) -> Bool {
        (around.variable(variable) ?? profiles.current?[setting])?.isTrue ?? false
    }

    /// A setting of the environment, else of the profile in force.
    func value(_ variable: String, _ setting: AWSSetting) -> String? {
        around.variable(variable) ?? profiles.current?[setting]
    }
}

extension String {
    /// `true` in letters of either case.
    var isTrue: Bool { utf8Span.span.raw.isEqualFolded(to: "true") }
}

extension AWSCredentialFault {
    static func noProfile(_ name: String, _ who: String, _ profiles: AWSProfiles) -> AWSCredentialFault {
        AWSCredentialFault(isPassing: false, "profile \(name), which \(who) names, is not in \(profiles.places)")
    }
}
