// Values tried out at their server before they are kept: one harmless question, with the credential where it will be.

package import Gateway
internal import Kernel
package import Outbound

/// Asks `server/discover` (2026-07-28), then `initialize` (the revisions before it); of an HTTP+SSE server its stream is opened. Nothing is called.
package struct ServerTrial: ValueTrial {
    private let client: any HTTPClient
    private static let time = Duration.seconds(12)

    package init(client: any HTTPClient) {
        self.client = client
    }

    package func outcome(of values: [FieldName: Secret], at server: Server) async -> TrialOutcome {
        guard server.isProbed else { return .notAsked }
        let trial: TrialRequest
        do { trial = try TrialRequest(values, for: server) } catch { return .odd(error.sentence) }
        do throws(OutboundFault) {
            if server.transport == .sse { return ServerTrial.stream(try await client.send(request(trial, server, .opening))) }
            let first = ServerTrial.judged(try await client.send(request(trial, server, .discovery)))
            guard case .odd = first else { return first }
            let answer = try await client.send(request(trial, server, .greeting))
            let second = ServerTrial.judged(answer)
            if second == .accepted, let session = answer["mcp-session-id"] { await leave(session, trial, server) }
            return second
        } catch {
            return error.kind == .invalid ? .odd(error.description) : .unreachable(error.description)
        }
    }

    private enum Question { case discovery, greeting, opening, farewell(String) }

    private func request(_ trial: TrialRequest, _ server: Server, _ question: Question) -> OutboundRequest {
        var method = OutboundRequest.Method.post
        var fields = trial.fields.map { OutboundRequest.Field($0.name, $0.value) }
        var body: String?
        switch question {
        case .discovery:
            fields += [
                .init("MCP-Protocol-Version", "2026-07-28"), .init("Mcp-Method", "server/discover"),
                .init("Accept", "application/json, text/event-stream"), .init("Content-Type", "application/json"),
            ]
            body = """
                {"jsonrpc":"2.0","id":1,"method":"server/discover","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",\
                "io.modelcontextprotocol/clientInfo":{"name":"claviger","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}}}
                """
        case .greeting:
            fields += [.init("Accept", "application/json, text/event-stream"), .init("Content-Type", "application/json")]
            body = """
                {"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},\
                "clientInfo":{"name":"claviger","version":"1"}}}
                """
        case .opening:
            method = .get
            fields.append(.init("Accept", "text/event-stream"))
        case .farewell(let session):
            method = .delete
            fields.append(.init("Mcp-Session-Id", session))
        }
        if trial.origin != server.origin { fields.append(.init("Host", server.origin.authority)) }
        var request = OutboundRequest(method, "\(trial.origin)/", fields: fields, body: body.map { Secret(copying: $0.utf8Span.span.raw) })
        request.target = trial.target
        request.limits = OutboundRequest.Limits(time: ServerTrial.time, connecting: .seconds(5), answer: 256 << 10)
        request.authorities = server.tls.authorities
        request.certificate = server.tls.certificate
        // libcurl verifies the URL's host: the one that is connected to may be another.
        if trial.origin != server.origin {
            request.place = OutboundRequest.Place(
                of: trial.origin.host, trial.origin.port, host: server.origin.host, port: server.origin.port)
        }
        request.usesProxy = false
        request.endsWithHead = server.transport == .sse
        return request
    }

    /// A session that was begun only for the question; what comes of ending it does not matter.
    private func leave(_ session: String, _ trial: TrialRequest, _ server: Server) async {
        guard session.utf8.allSatisfy({ (0x21..<0x7F).contains($0) }) else { return }
        _ = try? await client.send(request(trial, server, .farewell(session)))
    }

    static func judged(_ answer: OutboundResponse) -> TrialOutcome {
        switch answer.status {
        case 401, 403: return .refused(answer.status)
        case 200: return isResult(answer.body.bytes) ? .accepted : .odd("status 200 without a JSON-RPC result")
        case 408, 429, 500...: return .unreachable("status \(answer.status)")
        default: return .odd("status \(answer.status)")
        }
    }

    private static func stream(_ answer: OutboundResponse) -> TrialOutcome {
        switch answer.status {
        case 200: answer["content-type"]?.hasPrefix("text/event-stream") == true ? .accepted : .odd("status 200 without an event stream")
        default: judged(answer)
        }
    }

    /// Whether there is a JSON-RPC response with a result in it, plain or as an event's data. Its content does not matter.
    private static func isResult(_ body: RawSpan) -> Bool {
        let bytes = body.copied()
        if hasResult(bytes) { return true }
        for line in bytes.split(whereSeparator: { $0 == 0x0A || $0 == 0x0D }) where line.starts(with: "data:".utf8) {
            if hasResult(Array(line.dropFirst(5))) { return true }
        }
        return false
    }

    private static func hasResult(_ bytes: [UInt8]) -> Bool {
        var scanner = JSONScanner(bytes.span.raw)
        do throws(NotJSON) {
            try scanner.expect(UInt8(ascii: "{"))
            var isFirst = true
            var found = false
            while let name = try scanner.nextName(isFirst: &isFirst) {
                if scanner.bytes.extracting(name).equals("result") { found = true }
                try scanner.skipValue()
            }
            return found
        } catch {
            return false
        }
    }
}
