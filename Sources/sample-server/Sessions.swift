// The sessions of the older era: an identifier each, and nothing else to remember.

internal import HTTPTypes

actor Sessions {
    /// In the order they were opened; the oldest goes when there are too many.
    private var open: [String] = []
    private let limit = 1_000

    func begin() -> String {
        if open.count >= limit { open.removeFirst() }
        let id = (0..<4).map { _ in String(UInt32.random(in: 0x1000_0000 ... .max), radix: 16) }.joined()
        open.append(id)
        return id
    }

    /// Throws `Complaint`: 400 without an identifier, 404 with one that is not, or no longer, a session's.
    func check(_ id: String?) throws(Complaint) {
        guard let id else { throw Complaint(.badRequest, -32600, "Mcp-Session-Id is missing") }
        guard open.contains(id) else { throw Complaint(.notFound, -32600, "Session not found") }
    }

    func end(_ id: String?) throws(Complaint) {
        try check(id)
        open.removeAll { $0 == id }
    }
}
