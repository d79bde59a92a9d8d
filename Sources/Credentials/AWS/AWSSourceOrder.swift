// Which source of credentials is in force: the first, in botocore's order, that somebody has configured.

internal import Gateway
internal import Kernel

/// Decides from the environment and the files alone; only the last of the order, instance metadata, needs no configuration. A source that is
/// configured and wrong is a fault: what comes after it may be somebody else's identity.
struct AWSSourceOrder: Sendable {
    private let around: AWSSurroundings
    private let profiles: AWSProfiles
    private let settings: AWSSettings
    private let region: String?

    /// - Parameter region: where roles are taken on; nil = as the settings say.
    init(_ around: AWSSurroundings, region: String?) throws(AWSCredentialFault) {
        self.around = around
        profiles = try AWSProfiles(around)
        settings = try AWSSettings(around, profiles: profiles)
        self.region = region
    }

    /// - Throws: where a source is configured wrongly, or none is and instance metadata is switched off.
    func choose() throws(AWSCredentialFault) -> any AWSSource {
        if let found = try AWSGrant(environmentOf: around) { return AWSFixedSource(found) }
        let profile = profiles.current
        if let profile, profile.takesRole { return try role(of: profile, visited: []) }
        if let source = try webIdentity(profile, environment: around) { return source }
        if let profile, let source = try own(profile) { return source }
        if let source = try AWSContainerSource(around, authorities: settings.authorities) { return source }
        guard !isMetadataDisabled else { throw .nothing(looked, "instance metadata is switched off (AWS_EC2_METADATA_DISABLED)") }
        return AWSLastSource(instance: try AWSInstanceSource(settings, around: around), looked: looked)
    }

    private var isMetadataDisabled: Bool { around.variable("AWS_EC2_METADATA_DISABLED")?.isTrue ?? false }

    /// What a profile holds beside a role that is taken on with another's credentials; nil where that is nothing.
    private func own(_ profile: AWSProfile) throws(AWSCredentialFault) -> (any AWSSource)? {
        if profile[.ssoSession] ?? profile[.ssoAccount] ?? profile[.ssoRole] ?? profile[.ssoStart] ?? profile[.loginSession] != nil {
            throw AWSCredentialFault(
                isPassing: false,
                "profile \(profile.name) signs a person in (sso_…, login_session), which a daemon cannot: give it a role of its own, or "
                    + "credential_process = aws configure export-credentials --profile \(profile.name) while a person keeps signing in")
        }
        if let keys = try profile.keysOfCredentialsFile() { return AWSFixedSource(keys) }
        if let command = profile[.credentialProcess] { return try AWSProcessSource(command, of: profile.name, around: around) }
        return try profile.keysOfConfigurationFile().map(AWSFixedSource.init)
    }

    /// - Parameter environment: where variables count before the profile; nil for a profile that another one names.
    private func webIdentity(_ profile: AWSProfile?, environment: AWSSurroundings?) throws(AWSCredentialFault) -> AWSWebIdentitySource? {
        guard let file = environment?.variable("AWS_WEB_IDENTITY_TOKEN_FILE") ?? profile?[.tokenFile] else { return nil }
        guard let name = environment?.variable("AWS_ROLE_ARN") ?? profile?[.role] else {
            throw AWSCredentialFault(isPassing: false, "web identity token \(file): no role is named for it: set AWS_ROLE_ARN, or role_arn in the profile")
        }
        var role = AWSSecurityTokenService.Role(name: name)
        if let session = environment?.variable("AWS_ROLE_SESSION_NAME") ?? profile?[.sessionName] { role.session = session }
        role.duration = try profile?.duration()
        return AWSWebIdentitySource(role: role, tokenFile: file, service: try service(), around: around)
    }

    /// - Parameter visited: the profiles whose roles lead here, first to last.
    private func role(of profile: AWSProfile, visited: [String]) throws(AWSCredentialFault) -> any AWSSource {
        let chain = visited + [profile.name]
        guard !visited.contains(profile.name) else {
            throw AWSCredentialFault(isPassing: false, "the profiles name each other as source_profile in a circle: \(chain.joined(separator: " → "))")
        }
        guard chain.count <= 8 else {
            throw AWSCredentialFault(isPassing: false, "a chain of more than 8 roles: \(chain.joined(separator: " → "))")
        }
        guard profile[.mfa] == nil else {
            throw AWSCredentialFault(
                isPassing: false,
                "profile \(profile.name) wants a one-time code (mfa_serial), which nobody is there to type: use a role whose trust policy does not ask for one")
        }
        let base: any AWSSource
        switch (profile[.sourceProfile], profile[.credentialSource]) {
        case (let name?, nil): base = try source(named: name, by: profile, chain)
        case (nil, let name?): base = try source(kind: name, by: profile)
        case (nil, nil):
            throw AWSCredentialFault(isPassing: false, "profile \(profile.name) has a role_arn, and neither source_profile nor credential_source to take it on with")
        case (_?, _?):
            throw AWSCredentialFault(isPassing: false, "profile \(profile.name) has both source_profile and credential_source: remove one")
        }
        var role = AWSSecurityTokenService.Role(name: profile[.role] ?? "", externalID: profile[.externalID], duration: try profile.duration())
        if let session = profile[.sessionName] { role.session = session }
        return AWSRoleSource(role: role, base: base, service: try service(), place: "profile \(profile.name)")
    }

    private func source(named name: String, by profile: AWSProfile, _ chain: [String]) throws(AWSCredentialFault) -> any AWSSource {
        guard let source = profiles[name] else { throw .noProfile(name, "source_profile of profile \(profile.name)", profiles) }
        // A profile with keys of its own vouches with those, though it be its own source or has a role as well.
        if let keys = try source.keysOfCredentialsFile() { return AWSFixedSource(keys) }
        if let keys = try source.keysOfConfigurationFile() { return AWSFixedSource(keys) }
        if source.takesRole { return try role(of: source, visited: chain) }
        if let token = try webIdentity(source, environment: nil) { return token }
        if let own = try own(source) { return own }
        throw AWSCredentialFault(isPassing: false, "profile \(name), the source_profile of profile \(profile.name), holds no credentials")
    }

    private func source(kind: String, by profile: AWSProfile) throws(AWSCredentialFault) -> any AWSSource {
        switch kind {
        case "Environment":
            guard let found = try AWSGrant(environmentOf: around) else {
                throw AWSCredentialFault(isPassing: false, "profile \(profile.name): credential_source = Environment, but AWS_ACCESS_KEY_ID is not set")
            }
            return AWSFixedSource(found)
        case "Ec2InstanceMetadata":
            guard !isMetadataDisabled else {
                throw AWSCredentialFault(isPassing: false, "profile \(profile.name): credential_source = Ec2InstanceMetadata, but AWS_EC2_METADATA_DISABLED is set")
            }
            return try AWSInstanceSource(settings, around: around)
        case "EcsContainer":
            guard let source = try AWSContainerSource(around, authorities: settings.authorities) else {
                throw AWSCredentialFault(
                    isPassing: false, "profile \(profile.name): credential_source = EcsContainer, but neither \(AWSContainerSource.relative) nor \(AWSContainerSource.full) is set")
            }
            return source
        default:
            throw AWSCredentialFault(isPassing: false, "profile \(profile.name): credential_source is Environment, Ec2InstanceMetadata or EcsContainer")
        }
    }

    private func service() throws(AWSCredentialFault) -> AWSSecurityTokenService {
        try AWSSecurityTokenService(settings, region: region, around: around)
    }

    /// What there is before instance metadata, and is not configured.
    private var looked: [String] {
        [
            "AWS_ACCESS_KEY_ID is not set", "there is no profile \(profiles.name) with credentials in \(profiles.places)",
            "AWS_WEB_IDENTITY_TOKEN_FILE is not set", "neither \(AWSContainerSource.relative) nor \(AWSContainerSource.full) is set",
        ]
    }
}

/// Instance metadata where nothing says that it is meant. Where it gives nothing the first time, the fault is that nothing is configured.
struct AWSLastSource: AWSSource {
    let instance: AWSInstanceSource
    /// What came before it in the order.
    let looked: [String]

    func grant() async throws(AWSCredentialFault) -> AWSGrant {
        try await instance.grant()
    }
}

extension AWSCredentialFault {
    /// Everything that was looked at, the last of it and why it gave nothing, and the remedy.
    static func nothing(_ looked: [String], _ last: String, isPassing: Bool = false) -> AWSCredentialFault {
        AWSCredentialFault(
            isPassing: isPassing, "nothing is configured: \((looked + [last]).joined(separator: "; ")): configure one of these, or run where AWS gives a role")
    }
}

extension AWSProfile {
    /// Whether a role is taken on with another source's credentials.
    fileprivate var takesRole: Bool { self[.role] != nil && self[.tokenFile] == nil }

    fileprivate func duration() throws(AWSCredentialFault) -> Int? {
        guard let text = self[.duration] else { return nil }
        guard let seconds = Int(text), (900...43_200).contains(seconds) else {
            throw AWSCredentialFault(isPassing: false, "profile \(name): duration_seconds is a number from 900 to 43200")
        }
        return seconds
    }
}
