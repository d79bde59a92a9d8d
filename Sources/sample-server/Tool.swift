// The three tools: what each takes, and what it answers.

internal import HTTPTypes

enum Tool: Sendable {
    case whoami
    case echo(String)
    case count(to: Int, pause: Duration)

    /// From the parameters of `tools/call`. Throws `Complaint` (-32602) for another tool or an argument out of range.
    init(_ params: JSON) throws(Complaint) {
        let arguments = params["arguments"]
        switch params["name"]?.text {
        case "whoami": self = .whoami
        case "echo": self = .echo(arguments?["text"]?.text ?? "")
        case "count":
            let to = arguments?["to"]?.integer ?? 5
            let pause = arguments?["pause_ms"]?.integer ?? 200
            guard (1...1_000).contains(to), (0...60_000).contains(pause) else {
                throw Complaint(.badRequest, -32602, "count takes `to` from 1 to 1000 and `pause_ms` from 0 to 60000")
            }
            self = .count(to: to, pause: .milliseconds(pause))
        default: throw Complaint(.badRequest, -32602, "Unknown tool")
        }
    }

    func result(_ sighting: Sighting, _ headers: HTTPFields) -> [String: JSON] {
        switch self {
        case .whoami:
            var seen: [String: JSON] = ["credential": .text(sighting.masked ?? "none"), "place": .text(sighting.place)]
            for name in ["x-api-key", "x-user-email"] {
                let arrived = HTTPField.Name(name).map { headers.contains($0) } ?? false
                seen[name] = arrived ? "ARRIVED" : "did not arrive"
            }
            return ["content": [["type": "text", "text": .text(String(decoding: JSON.object(seen).bytes, as: UTF8.self))]]]
        case .echo(let text):
            return ["content": [["type": "text", "text": .text(text)]]]
        case .count(let to, _):
            return ["content": [["type": "text", "text": "counted to \(to)"]]]
        }
    }

    /// For `tools/list`.
    static let descriptions: JSON = [
        [
            "name": "whoami", "description": "What this server saw of the credential and of the agent's headers.",
            "inputSchema": ["type": "object"],
        ],
        [
            "name": "echo", "description": "Gives the text back.",
            "inputSchema": ["type": "object", "properties": ["text": ["type": "string"]], "required": ["text"]],
        ],
        [
            "name": "count", "description": "Counts, a progress event for each step.",
            "inputSchema": [
                "type": "object",
                "properties": [
                    "to": ["type": "integer", "minimum": 1, "maximum": 1_000],
                    "pause_ms": ["type": "integer", "minimum": 0, "maximum": 60_000],
                ],
            ],
        ],
    ]
}

/// The messages of one `count`: a progress notification a step, if the client gave a token for it, then the answer.
struct Counting: AsyncSequence, AsyncIteratorProtocol, Sendable {
    typealias Element = JSON

    private let to: Int
    private let pause: Duration
    private let token: JSON?
    private var last: JSON?
    private var step = 0

    init(to: Int, pause: Duration, token: JSON?, last: JSON) {
        self.to = to
        self.pause = pause
        self.token = token
        self.last = last
    }

    mutating func next() async throws -> JSON? {
        while step < to {
            step += 1
            try await Task.sleep(for: pause)
            guard let token else { continue }
            return [
                "jsonrpc": "2.0", "method": "notifications/progress",
                "params": ["progressToken": token, "progress": .integer(step), "total": .integer(to)],
            ]
        }
        defer { last = nil }
        return last
    }

    func makeAsyncIterator() -> Counting { self }
}
