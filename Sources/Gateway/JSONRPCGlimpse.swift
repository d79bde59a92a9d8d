// A look into a request's body, taken only when the gateway must say no: whom a refusal in JSON-RPC has to be addressed to.

internal import Kernel

/// What a POST body is to a refusal.
package enum JSONRPCGlimpse: Equatable, Sendable {
    /// One request, or a batch with at least one (MCP 2025-03-26): each is to be answered.
    case calls([Call], isBatch: Bool)
    /// Only notifications and responses: nobody waits for an answer, the plain form says it.
    case nothingToAnswer
    /// Not JSON, not JSON-RPC 2.0, ambiguous, or with an id that is not repeated: the plain form says it.
    case unreadable

    /// A request that waits for an answer.
    package struct Call: Equatable, Sendable {
        /// The id's token as it was sent: a number, or a string with its quotes; valid JSON of at most `idLimit` bytes between them.
        package let id: [UInt8]
        /// Whether the answer may be an `InputRequiredResult` with a URL elicitation: the method is `tools/call`, `prompts/get` or
        /// `resources/read`, and `params._meta["io.modelcontextprotocol/clientCapabilities"].elicitation.url` is an object.
        ///
        /// Source: `mcp_types` 2.3.0, `methods.INPUT_REQUIRED_METHODS`, `CLIENT_CAPABILITIES_META_KEY`, `ElicitationCapability`.
        package let mayAskForInput: Bool

        package init(id: [UInt8], mayAskForInput: Bool) {
            self.id = id
            self.mayAskForInput = mayAskForInput
        }
    }

    /// Bytes of a body that are looked into; a longer one gets the plain form.
    package static let bodyLimit = 64 << 10
    /// Bytes of an id that is repeated, a string's without its quotes.
    package static let idLimit = 128
    /// Requests of one batch that are answered one by one.
    package static let batchLimit = 64

    /// Reads a whole body. Strict: a doubled name among those it looks at makes the body unreadable, since the server may see the other one.
    package static func read(_ body: RawSpan) -> JSONRPCGlimpse {
        guard body.byteCount <= bodyLimit else { return .unreadable }
        do {
            return try read(JSONScanner(body))
        } catch {
            return .unreadable
        }
    }

    private static func read(_ start: consuming JSONScanner) throws(NotJSON) -> JSONRPCGlimpse {
        var scanner = start
        var calls: [Call] = []
        let isBatch = scanner.take(UInt8(ascii: "["))
        if isBatch {
            var isFirst = true
            while try scanner.nextElement(isFirst: &isFirst, closing: UInt8(ascii: "]")) {
                if let call = try message(&scanner) { calls.append(call) }
                guard calls.count <= batchLimit else { return .unreadable }
            }
            guard !isFirst else { return .unreadable }
        } else if let call = try message(&scanner) {
            calls.append(call)
        }
        try scanner.expectEnd()
        return calls.isEmpty ? .nothingToAnswer : .calls(calls, isBatch: isBatch)
    }

    private enum Member { case version, id, method, params }

    /// One message; nil where it is a notification or a response.
    private static func message(_ scanner: inout JSONScanner) throws(NotJSON) -> Call? {
        var seen: [Member] = []
        var id: Range<Int>?
        var asks = false, interactive = false, hasMethod = false
        try scanner.expect(UInt8(ascii: "{"))
        var isFirst = true
        while let name = try scanner.nextName(isFirst: &isFirst) {
            guard let member = member(scanner, name) else { try scanner.skipValue(); continue }
            guard !seen.contains(member) else { throw NotJSON() }
            seen.append(member)
            switch member {
            case .version:
                guard scanner.says("2.0", in: try scanner.string()) else { throw NotJSON() }
            case .id:
                id = try token(&scanner)
            case .method:
                let method = try scanner.string()
                hasMethod = true
                interactive = scanner.says("tools/call", in: method) || scanner.says("prompts/get", in: method)
                    || scanner.says("resources/read", in: method)
            case .params:
                asks = try holdsObject(at: declaration, &scanner)
            }
        }
        guard seen.contains(.version) else { throw NotJSON() }
        guard let id, hasMethod else {
            // Neither a request, a notification nor a response: nothing JSON-RPC knows.
            guard hasMethod || id != nil || seen.contains(.id) else { throw NotJSON() }
            return nil
        }
        return Call(id: scanner.bytes.extracting(id).copied(), mayAskForInput: interactive && asks)
    }

    private static func member(_ scanner: borrowing JSONScanner, _ name: Range<Int>) -> Member? {
        if scanner.says("jsonrpc", in: name) { return .version }
        if scanner.says("id", in: name) { return .id }
        if scanner.says("method", in: name) { return .method }
        if scanner.says("params", in: name) { return .params }
        return nil
    }

    /// An id's token. MCP knows no null id in a request; a response to a request that could not be read has one.
    private static func token(_ scanner: inout JSONScanner) throws(NotJSON) -> Range<Int>? {
        switch scanner.next {
        case UInt8(ascii: "\""):
            let text = try scanner.string()
            guard text.count <= idLimit else { throw NotJSON() }
            return text.lowerBound - 1..<text.upperBound + 1
        case UInt8(ascii: "n"):
            try scanner.skipValue()
            return nil
        default:
            let number = try scanner.number()
            guard number.count <= idLimit else { throw NotJSON() }
            return number
        }
    }

    private static let declaration: [StaticString] = ["_meta", "io.modelcontextprotocol/clientCapabilities", "elicitation", "url"]

    /// Skips a value and says whether an object lies in it under the names of `path`. No deeper than `path` is long.
    private static func holdsObject(at path: [StaticString], _ scanner: inout JSONScanner) throws(NotJSON) -> Bool {
        var level = 0
        /// Of each level that is open: whether its first member is yet to come, and whether the name of `path` was met.
        var firsts = [true], met = [false]
        guard scanner.take(UInt8(ascii: "{")) else { try scanner.skipValue(); return false }
        var found = false
        while level >= 0 {
            guard let name = try scanner.nextName(isFirst: &firsts[level]) else {
                firsts.removeLast()
                met.removeLast()
                level -= 1
                continue
            }
            guard scanner.says(path[level], in: name) else { try scanner.skipValue(); continue }
            guard !met[level] else { throw NotJSON() }
            met[level] = true
            if level + 1 == path.count {
                found = scanner.next == UInt8(ascii: "{")
                try scanner.skipValue()
            } else if scanner.take(UInt8(ascii: "{")) {
                firsts.append(true)
                met.append(false)
                level += 1
            } else {
                try scanner.skipValue()
            }
        }
        return found
    }
}
