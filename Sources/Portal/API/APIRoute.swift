// What the administration API answers, declared once: served by it, described by it in OpenAPI, enumerated by its tests.

internal import FoundationEssentials
internal import Gateway
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

struct APIRoute: Sendable {
    struct Query: Sendable {
        let name: String
        let sentence: String
    }

    enum Answer: Sendable {
        case json(HTTPResponse.Status, Shape)
        case nothing
        /// Of this media type.
        case bytes(String)
    }

    let method: HTTPRequest.Method
    /// Behind `/api/v1`, with `{name}` where a name stands.
    let path: String
    let summary: String
    let query: [Query]
    let body: Shape?
    let answer: Answer
    let run: @Sendable (Portal, APICall) async throws(APIFault) -> Response

    init(
        _ method: HTTPRequest.Method, _ path: String, _ summary: String, query: [Query] = [], body: Shape? = nil, answer: Answer,
        run: @escaping @Sendable (Portal, APICall) async throws(APIFault) -> Response
    ) {
        self.method = method
        self.path = path
        self.summary = summary
        self.query = query
        self.body = body
        self.answer = answer
        self.run = run
        steps = path.split(separator: "/").map(String.init)
    }

    private let steps: [String]

    /// The names in the path, in its order.
    var names: [String] { steps.filter { $0.hasPrefix("{") }.map { String($0.dropFirst().dropLast()) } }

    /// What the path's names stand for; nil where it is another's path.
    func match(_ path: [String]) -> [String: String]? {
        guard path.count == steps.count else { return nil }
        var names: [String: String] = [:]
        for (step, given) in zip(steps, path) {
            if step.hasPrefix("{") { names[String(step.dropFirst().dropLast())] = given } else if step != given { return nil }
        }
        return names
    }

    /// All there are, in the order of the description.
    static let all: [APIRoute] = links + users + credentials + administration
}

/// A request that has found its route.
struct APICall: Sendable {
    let request: Request
    let names: [String: String]
    let principal: Principal
    /// Those the caller administers; nil = all.
    let projects: Set<ProjectName>?

    subscript(name: String) -> String { names[name] ?? "" }

    func query(_ name: String) -> String? {
        request.uri.queryParameters[Substring(name)].map(String.init)
    }

    /// A part of the query, read; nil where it is not given.
    func checked<Value>(_ name: String, _ read: (String) -> Value?) throws(APIFault) -> Value? {
        guard let text = query(name) else { return nil }
        guard let value = read(text) else { throw APIFault(.badRequest, "bad_query", "`\(name)` is not what it takes; /api/v1/openapi.json says what that is.") }
        return value
    }

    /// How many of a list are wanted.
    func limit() throws(APIFault) -> Int? {
        try checked("limit") { Int($0).flatMap { 1...1000 ~= $0 ? $0 : nil } }
    }

    /// The body, strictly: a member that nobody knows is an error, as in the configuration.
    func body<Body: Decodable>(_ type: Body.Type, of shape: Shape?) async throws(APIFault) -> Body {
        guard let buffer = try? await request.body.collect(upTo: 64 << 10) else {
            throw APIFault(.contentTooLarge, "too_large", "The body has 64 KiB at most.")
        }
        let data = Data(buffer.readableBytesView)
        guard let members = try? JSONDecoder().decode(Members.self, from: data) else {
            throw APIFault(.badRequest, "bad_request", "The body is one JSON object.")
        }
        if case .object(let properties) = shape, members.names.contains(where: { name in !properties.contains { $0.name == name } }) {
            throw APIFault(.badRequest, "bad_request", "The body has a member that is not known here; there is \(properties.map(\.name).joined(separator: ", ")).")
        }
        do {
            return try JSONDecoder().decode(type, from: data)
        } catch DecodingError.keyNotFound(let key, _) {
            throw APIFault(.badRequest, "bad_request", "The body has no `\(key.stringValue)`.")
        } catch DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context) {
            let place = context.codingPath.first { $0.intValue == nil }.map { "`\($0.stringValue)`" } ?? "the body"
            throw APIFault(.badRequest, "bad_request", "In the body, \(place) has another type than it takes.")
        } catch {
            throw APIFault(.badRequest, "bad_request", "The body is not understood.")
        }
    }

    private struct Members: Decodable {
        let names: [String]

        init(from decoder: any Decoder) throws {
            names = try decoder.container(keyedBy: AnyKey.self).allKeys.map(\.stringValue)
        }
    }
}

enum PathText {
    /// A path's segment, percent-decoded; nil for what is no UTF-8 then.
    static func decoded(_ segment: String) -> String? {
        guard segment.utf8.contains(UInt8(ascii: "%")) else { return segment }
        var bytes: [UInt8] = []
        var rest = Array(segment.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else { bytes.append(byte); continue }
            guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else { return nil }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
