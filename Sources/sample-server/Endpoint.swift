// The endpoint: from an HTTP request to its answer. Credential first, then the path, then the era's rules, then the method.

internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

struct Endpoint: Sendable {
    let demand: Demand
    private let sessions = Sessions()

    init(demand: Demand) {
        self.demand = demand
    }

    func answer(_ request: Request) async -> Response {
        let sighting = demand.look(at: request)
        guard sighting.isAccepted else {
            return .json(.unauthorized, ["error": "the credential is missing or wrong"], [.wwwAuthenticate: "Bearer"])
        }
        guard sighting.isEndpoint else { return .json(.notFound, ["error": "the endpoint is /mcp"]) }
        var id: JSON?
        do throws(Complaint) {
            let era = try Era(version: request.headers[.mcpProtocolVersion])
            switch (request.method, era) {
            case (.post, _):
                guard let body = try? await request.body.collect(upTo: 1 << 20) else {
                    throw Complaint(.contentTooLarge, -32600, "At most 1 MiB is taken")
                }
                let message = try Message(Array(body.readableBytesView))
                id = message.id
                return try await answer(message, in: era, request.headers, sighting)
            case (.delete, .session):
                try await sessions.end(request.headers[.mcpSessionID])
                return Response(status: .noContent)
            default:
                return Response(status: .methodNotAllowed, headers: [.allow: era == .session ? "POST, DELETE" : "POST"])
            }
        } catch {
            return .json(error.status, error.answer(to: id))
        }
    }

    private func answer(
        _ message: Message, in era: Era, _ headers: HTTPFields, _ sighting: Sighting
    ) async throws(Complaint) -> Response {
        guard message.id != nil else { return Response(status: .accepted) }
        switch era {
        case .stateless: try Era.check(message, against: headers)
        case .session where message.method == "initialize": break
        case .session: try await sessions.check(headers[.mcpSessionID])
        }
        switch (message.method, era) {
        case ("initialize", .session):
            let asked = message.params["protocolVersion"]?.text ?? ""
            let version = Era.sessionVersions.contains(asked) ? asked : "2025-11-25"
            let result: JSON = ["protocolVersion": .text(version), "capabilities": ["tools": [:]], "serverInfo": Self.name]
            return .json(.ok, message.answer(result), [.mcpSessionID: await sessions.begin()])
        case ("server/discover", .stateless):
            let versions = Era.sessionVersions + [Era.statelessVersion]
            let result: [String: JSON] = [
                "supportedVersions": .list(versions.map(JSON.text)), "capabilities": ["tools": [:]],
                "_meta": ["io.modelcontextprotocol/serverInfo": Self.name],
            ]
            return .json(.ok, message.answer(era.complete(result, isCacheable: true)))
        case ("ping", .session):
            return .json(.ok, message.answer([:]))
        case ("tools/list", _):
            return .json(.ok, message.answer(era.complete(["tools": Tool.descriptions], isCacheable: true)))
        case ("tools/call", _):
            let tool = try Tool(message.params)
            guard case .count(let upTo, let pause) = tool else {
                return .json(.ok, message.answer(era.complete(tool.result(sighting, headers))))
            }
            let last = message.answer(era.complete(tool.result(sighting, headers)))
            return .events(Counting(to: upTo, pause: pause, token: message.params["_meta"]?["progressToken"], last: last))
        default:
            throw Complaint(era == .stateless ? .notFound : .ok, -32601, "Method not found")
        }
    }

    private static let name: JSON = ["name": "claviger-sample", "version": "1"]
}

extension HTTPField.Name {
    // Constant and valid, so that the initialiser cannot give nil; `.allow` keeps the file free of traps all the same.
    static let mcpProtocolVersion = HTTPField.Name("MCP-Protocol-Version") ?? .allow
    static let mcpSessionID = HTTPField.Name("Mcp-Session-Id") ?? .allow
}

extension Response {
    static func json(_ status: HTTPResponse.Status, _ body: JSON, _ extra: HTTPFields = [:]) -> Response {
        var headers = extra
        headers[.contentType] = "application/json"
        return Response(status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: body.bytes)))
    }

    /// An event stream that writes each of the messages as it comes.
    static func events(_ messages: some AsyncSequence<JSON, any Error> & Sendable) -> Response {
        let body = ResponseBody { writer in
            for try await message in messages {
                try await writer.write(ByteBuffer(bytes: Array("event: message\ndata: ".utf8) + message.bytes + Array("\n\n".utf8)))
            }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: [.contentType: "text/event-stream", .cacheControl: "no-cache"], body: body)
    }
}
