// One JSON-RPC message of a client, the answer to it, and the complaint that stands in an answer's place.

internal import HTTPTypes

struct Message: Sendable {
    /// Nil for a notification, which is owed no answer.
    let id: JSON?
    let method: String
    let params: JSON

    /// Throws `Complaint` where the bytes are no single request or notification.
    init(_ bytes: [UInt8]) throws(Complaint) {
        guard let document = try? JSON(parsing: bytes) else { throw Complaint(.badRequest, -32700, "Parse error") }
        guard let method = document["method"]?.text else {
            throw Complaint(.badRequest, -32600, "One JSON-RPC request or notification is taken here")
        }
        self.id = document["id"]
        self.method = method
        self.params = document["params"] ?? [:]
    }

    func answer(_ result: JSON) -> JSON {
        ["jsonrpc": "2.0", "id": id ?? .null, "result": result]
    }
}

/// Why a message gets an error: an HTTP status, a JSON-RPC code, words, and what the specification wants beside them.
struct Complaint: Error {
    let status: HTTPResponse.Status
    let code: Int
    let words: String
    let detail: JSON?

    init(_ status: HTTPResponse.Status, _ code: Int, _ words: String, detail: JSON? = nil) {
        self.status = status
        self.code = code
        self.words = words
        self.detail = detail
    }

    func answer(to id: JSON?) -> JSON {
        var error: [String: JSON] = ["code": .integer(code), "message": .text(words)]
        error["data"] = detail
        return ["jsonrpc": "2.0", "id": id ?? .null, "error": .object(error)]
    }
}
