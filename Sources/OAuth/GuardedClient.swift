// Sends to endpoints that a provider named, so that it cannot name one of ours.

internal import Gateway
internal import Kernel
package import Outbound

/// As `DocumentFetcher` does it: every address of the host is checked, and the connection goes to no other. Nothing is redirected.
package struct GuardedClient: HTTPClient {
    private let client: any HTTPClient
    private let resolve: DocumentFetcher.Resolve
    private let rule: @Sendable () -> AddressRule

    /// - Parameter rule: looked at anew for each request.
    package init(_ client: any HTTPClient, resolve: @escaping DocumentFetcher.Resolve, rule: @autoclosure @escaping @Sendable () -> AddressRule) {
        self.client = client
        self.resolve = resolve
        self.rule = rule
    }

    package func send(_ request: OutboundRequest) async throws(OutboundFault) -> OutboundResponse {
        var request = request
        let url: ServiceURL
        do { url = try ServiceURL(request.url) } catch { throw OutboundFault(.invalid, .pointless, "an endpoint \(error)") }
        do throws(AddressRule.NoWay) { request.resolution = try await rule().resolution(of: url, by: resolve) } catch {
            switch error {
            case .unresolved(let words): throw OutboundFault(.unresolved, .safe, "\(url.host) \(words)")
            case .forbidden(let words): throw OutboundFault(.invalid, .pointless, "\(url.host) \(words)")
            }
        }
        request.redirects = 0
        return try await client.send(request)
    }
}
