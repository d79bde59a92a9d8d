// What a server says of the credential it wants: `WWW-Authenticate` (RFC 9110, section 11.6.1), read strictly enough not to be misled.

/// One challenge: its scheme, and its parameters by name, both in lower case. The first of a doubled parameter counts.
package struct Challenge: Equatable, Sendable {
    package let scheme: String
    package let parameters: [String: String]

    /// Every challenge of the fields, in their order. What cannot be read ends its field: what came before it counts.
    ///
    /// - Parameter fields: the values of all `WWW-Authenticate` fields.
    package static func read(_ fields: [String]) -> [Challenge] {
        fields.flatMap { field in
            var reader = Reader(bytes: Array(field.utf8))
            return reader.challenges()
        }
    }

    /// Where the server's metadata is (RFC 9728, section 5.1), of the first challenge that says so.
    package static func resourceMetadata(in challenges: [Challenge]) -> String? {
        challenges.lazy.compactMap { $0.parameters["resource_metadata"] }.first
    }

    /// The scopes that a bearer token needs (RFC 6750, section 3), of the first challenge that says so.
    package static func scopes(in challenges: [Challenge]) -> [String]? {
        challenges.lazy.filter { $0.scheme == "bearer" }.compactMap { $0.parameters["scope"] }.first.map(Scopes.read)
    }

    /// The scopes that a bearer token lacked (RFC 6750, section 3.1): of the challenge that says so, whatever others say. Nil where none does.
    package static func missingScopes(in challenges: [Challenge]) -> [String]? {
        challenges.first { $0.scheme == "bearer" && $0.parameters["error"] == "insufficient_scope" }
            .map { $0.parameters["scope"].map(Scopes.read) ?? [] }
    }
}

private struct Reader {
    let bytes: [UInt8]
    var at = 0

    /// `challenge = auth-scheme [ 1*SP ( token68 / #auth-param ) ]`, parted by commas, as parameters are: a token that `=` follows is a
    /// parameter's name, any other begins a challenge.
    mutating func challenges() -> [Challenge] {
        var found: [Challenge] = []
        while true {
            skip { $0 == UInt8(ascii: ",") || Reader.isBlank($0) }
            guard let scheme = token() else { return found }
            var parameters: [String: String] = [:]
            var isWhole = true
            if at < bytes.count, Reader.isBlank(bytes[at]), !skipToken68() { isWhole = readParameters(into: &parameters) }
            found.append(Challenge(scheme: scheme, parameters: parameters))
            guard isWhole else { return found }
        }
    }

    /// False where what stands there is neither a parameter nor another challenge.
    private mutating func readParameters(into parameters: inout [String: String]) -> Bool {
        while true {
            skip { $0 == UInt8(ascii: ",") || Reader.isBlank($0) }
            let start = at
            guard let name = token() else { return at == bytes.count }
            skip(Reader.isBlank)
            guard take(UInt8(ascii: "=")) else {
                at = start
                return true
            }
            skip(Reader.isBlank)
            guard let value = quoted() ?? token(folded: false) else { return false }
            if parameters[name] == nil { parameters[name] = value }
        }
    }

    /// `Negotiate abc==`: digits and letters up to the end of the challenge, with nothing behind its `=`.
    private mutating func skipToken68() -> Bool {
        let start = at
        skip(Reader.isBlank)
        let first = at
        skip { Reader.isTokenByte($0) || $0 == UInt8(ascii: "/") }
        guard at > first else {
            at = start
            return false
        }
        skip { $0 == UInt8(ascii: "=") }
        skip(Reader.isBlank)
        if at == bytes.count || bytes[at] == UInt8(ascii: ",") { return true }
        at = start
        return false
    }

    private mutating func token(folded: Bool = true) -> String? {
        let start = at
        skip(Reader.isTokenByte)
        guard at > start else { return nil }
        let token = bytes[start..<at]
        return String(decoding: folded ? token.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 } : Array(token), as: UTF8.self)
    }

    private mutating func quoted() -> String? {
        guard take(UInt8(ascii: "\"")) else { return nil }
        var text: [UInt8] = []
        while at < bytes.count {
            defer { at += 1 }
            switch bytes[at] {
            case UInt8(ascii: "\""):
                return String(validating: text, as: UTF8.self)
            case UInt8(ascii: "\\"):
                guard at + 1 < bytes.count else { return nil }
                at += 1
                text.append(bytes[at])
            default: text.append(bytes[at])
            }
        }
        return nil
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard at < bytes.count, bytes[at] == byte else { return false }
        at += 1
        return true
    }

    private mutating func skip(_ belongs: (UInt8) -> Bool) {
        while at < bytes.count, belongs(bytes[at]) { at += 1 }
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    /// RFC 9110, section 5.6.2.
    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
