// Asks a server and whoever gives its tokens, as connecting would, and changes nothing.

package import Gateway
internal import Kernel
package import Outbound

package struct Surveyor: Sendable {
    private let discovery: Discovery
    private let client: any HTTPClient

    /// - Parameter client: for the servers themselves, which the configuration names.
    package init(_ discovery: Discovery, client: any HTTPClient) {
        self.discovery = discovery
        self.client = client
    }

    /// - Parameter tls: the server's own.
    package func survey(_ subject: Survey.Subject, tls: UpstreamTLS = UpstreamTLS()) async -> Survey {
        let answer = await ask(subject.url, tls)
        guard !subject.isWrittenOut else { return Survey(of: subject, answer: answer, found: nil) }
        do throws(Discovery.Fault) {
            // The configuration was checked: an issuer that is named is a URL.
            let issuer = subject.settings.issuer.flatMap { try? ServiceURL($0) }
            let found = try await discovery.find(subject.url, tls: tls, challenges: answer.challenges, issuer: issuer)
            return Survey(of: subject, answer: answer, found: .success(found))
        } catch {
            return Survey(of: subject, answer: answer, found: .failure(error))
        }
    }

    private func ask(_ server: ServiceURL, _ tls: UpstreamTLS) async -> Survey.Answer {
        do throws(OutboundFault) {
            let response = try await client.send(Surveyor.request(without: server, tls))
            return .answered(status: response.status, Challenge.read(response.fields.filter { $0.name == "www-authenticate" }.map(\.value)))
        } catch {
            return .unanswered(error.description)
        }
    }

    /// MCP's first request, without a token: what comes back says what is missing.
    static func request(without server: ServiceURL, _ tls: UpstreamTLS) -> OutboundRequest {
        let body = """
            {"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},\
            "clientInfo":{"name":"claviger","version":"1"}}}
            """
        var request = OutboundRequest(
            .post, server.text,
            fields: [
                OutboundRequest.Field("Content-Type", "application/json"), OutboundRequest.Field("Accept", "application/json, text/event-stream"),
                OutboundRequest.Field("MCP-Protocol-Version", "2025-11-25"),
            ], body: Secret(copying: Array(body.utf8).span.raw))
        request.limits = OutboundRequest.Limits(time: .seconds(5), answer: 64 << 10)
        ServerTrust(server, tls).apply(to: &request, at: server)
        request.usesProxy = server.isEncrypted
        return request
    }
}
