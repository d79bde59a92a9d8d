// Which Parameter Store: its region and endpoint, once everything that may name them was asked.

package import Gateway

package struct ParameterStorePlace: Sendable, CustomStringConvertible {
    package let region: String
    /// Without a slash at its end.
    package let endpoint: String
    /// A file of certificates in place of the system's.
    package let authorities: String?

    /// - Parameters:
    ///   - settings: what the configuration says counts before anything else.
    ///   - aws: what environment and profile say.
    /// - Throws: of kind `misconfigured` where nobody names a region.
    package init(_ settings: ParameterStoreSettings, _ aws: AWSSettings) throws(StoreFault) {
        guard let region = settings.region ?? aws.region else {
            throw StoreFault(
                .misconfigured, "`secrets.parameter_store` has no region: set `region`, or AWS_REGION for the daemon, or a region in its AWS profile")
        }
        self.region = region
        endpoint = settings.endpoint ?? aws.endpoint(of: "ssm", in: region)
        authorities = aws.authorities
    }

    package var description: String { "Parameter Store of \(region) at \(endpoint)" }
}
