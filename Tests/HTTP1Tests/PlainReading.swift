// HTTP/1.1 read the slow and obvious way, from whole messages: what the real parsers are held against. Shares no code with them.

internal import HTTP1

/// What a head comes down to.
struct PlainHead: Equatable {
    var firstLine: [[UInt8]]
    var fields: [PlainField]
    var body: BodyLength
    var length: Int
}

struct PlainField: Equatable {
    var name: [UInt8]
    var value: [UInt8]
}

enum PlainReading {
    /// The sound request head that `message` begins with, its method and expectation not judged; nil if there is none.
    static func request(_ message: [UInt8]) -> PlainHead? {
        guard let (first, fields, length) = head(message) else { return nil }
        let parts = split(first, at: [0x20])
        guard parts.count == 3, !parts[0].isEmpty, parts[0].allSatisfy(isToken), isVersion(parts[2]) else { return nil }
        guard isTarget(parts[1], method: parts[0]) else { return nil }
        let hosts = values("host", fields)
        guard hosts.count == 1, isAuthority(hosts[0]), let body = framing(fields, version: parts[2]) else { return nil }
        return PlainHead(firstLine: parts, fields: fields, body: body ?? .none, length: length)
    }

    /// The sound response head that `message`, an answer to a POST, begins with; nil if there is none.
    static func response(_ message: [UInt8]) -> PlainHead? {
        guard let (first, fields, length) = head(message) else { return nil }
        guard first.count == 12 || first.count > 12 && first[12] == 0x20, isVersion(Array(first[..<8])), first[8] == 0x20,
            first[9...11].allSatisfy({ (48...57).contains($0) }), (49...53).contains(first[9]),
            first.allSatisfy({ $0 == 9 || $0 >= 32 && $0 != 127 }), let framed = framing(fields, version: Array(first[..<8]))
        else { return nil }
        let bodiless = first[9] == 49 || ["204", "304"].contains(text(Array(first[9...11])))
        let parts = [Array(first[..<8]), Array(first[9...11]), Array(first.dropFirst(13))]
        return PlainHead(firstLine: parts, fields: fields, body: bodiless ? .none : framed ?? .untilClose, length: length)
    }

    /// Payload and length of the sound chunked body that `message` begins with; nil if there is none.
    static func chunked(_ message: [UInt8]) -> (payload: [UInt8], length: Int)? {
        var payload: [UInt8] = []
        var at = 0
        var extensions = 0
        while let end = find([13, 10], message, from: at) {
            let line = Array(message[at..<end])
            let digits = line.prefix { $0 != 0x3B }
            guard (1...16).contains(digits.count), let size = Int(text(Array(digits)), radix: 16), size <= Int.max / 2,
                digits.allSatisfy({ (48...57).contains($0) || (65...70).contains($0) || (97...102).contains($0) })
            else { return nil }
            let tail = line.dropFirst(digits.count + 1)
            extensions += tail.count
            guard tail.count <= 256, extensions <= 16 << 10, tail.allSatisfy({ $0 == 9 || (32..<127).contains($0) }) else { return nil }
            at = end + 2
            if size == 0 { return trailers(message, at).map { (payload, $0) } }
            guard size <= message.count - at, message.count - at - size >= 2, message[at + size] == 13, message[at + size + 1] == 10
            else { return nil }
            payload += message[at..<at + size]
            at += size + 2
        }
        return nil
    }

    private static func trailers(_ message: [UInt8], _ start: Int) -> Int? {
        var at = start
        var lines = 0
        while let end = find([13, 10], message, from: at) {
            if end == at { return end + 2 - start <= 4 << 10 ? end + 2 : nil }
            lines += 1
            guard lines <= 32, let field = field(Array(message[at..<end])), !isForbiddenTrailer(field.name) else { return nil }
            at = end + 2
        }
        return nil
    }

    private static func isForbiddenTrailer(_ name: [UInt8]) -> Bool {
        let name = text(name.map { $0 == 0x5F ? 0x2D : $0 })
        let free: Set<String> = ["date", "server", "link", "x-request-id", "traceparent", "tracestate", "retry-after"]
        let prefixes = ["proxy-", "x-forwarded-", "access-control-", "x-claviger-"]
        return known.contains(name) && !free.contains(name)
            || prefixes.contains { name.hasPrefix($0) && name.utf8.count > $0.utf8.count }
    }

    private static let known: Set<String> = [
        "host", "content-length", "transfer-encoding", "connection", "keep-alive", "te", "trailer", "upgrade", "http2-settings",
        "expect", "authorization", "cookie", "set-cookie", "x-api-key", "x-user-email", "x-user-token", "www-authenticate",
        "authentication-info", "origin", "referer", "vary", "clear-site-data", "alt-svc", "strict-transport-security", "accept",
        "content-type", "content-encoding", "content-range", "cache-control", "range", "location", "content-location", "refresh",
        "mcp-protocol-version", "mcp-method", "mcp-name", "mcp-session-id", "last-event-id", "forwarded", "via", "x-real-ip",
    ]

    /// First line, fields and length of a head whose lines are sound.
    private static func head(_ message: [UInt8]) -> (first: [UInt8], fields: [PlainField], length: Int)? {
        guard let end = find([13, 10, 13, 10], message, from: 0) else { return nil }
        let lines = split(Array(message[..<end]), at: [13, 10])
        var fields: [PlainField] = []
        for line in lines.dropFirst() {
            guard let field = field(line) else { return nil }
            fields.append(field)
        }
        guard lines[0].allSatisfy({ $0 != 13 && $0 != 10 }) else { return nil }
        return (lines[0], fields, end + 4)
    }

    /// Name, small, and value, trimmed, of one line.
    private static func field(_ line: [UInt8]) -> PlainField? {
        guard let colon = line.firstIndex(of: 0x3A), colon > 0, line[..<colon].allSatisfy(isToken) else { return nil }
        var value = line[(colon + 1)...]
        guard value.allSatisfy({ $0 == 9 || $0 >= 32 && $0 != 127 }) else { return nil }
        while let byte = value.first, byte == 32 || byte == 9 { value.removeFirst() }
        while let byte = value.last, byte == 32 || byte == 9 { value.removeLast() }
        return PlainField(name: line[..<colon].map { (65...90).contains($0) ? $0 + 32 : $0 }, value: Array(value))
    }

    /// nil: unsound. `.some(nil)`: nothing frames.
    private static func framing(_ fields: [PlainField], version: [UInt8]) -> BodyLength?? {
        for name in ["content_length", "transfer_encoding", "content-length", "transfer-encoding"] {
            let found = values(name, fields)
            guard found.count <= (name.contains("_") ? 0 : 1) else { return nil }
        }
        for value in values("connection", fields) {
            for part in split(value, at: [0x2C]) {
                guard trim(part).allSatisfy(isToken) else { return nil }
            }
        }
        let lengths = values("content-length", fields)
        if let coding = values("transfer-encoding", fields).first {
            guard text(coding.map { (65...90).contains($0) ? $0 + 32 : $0 }) == "chunked", lengths.isEmpty, version.last == 49 else { return nil }
            return .some(.chunked)
        }
        guard let length = lengths.first else { return .some(nil) }
        guard (1...19).contains(length.count), length.allSatisfy({ (48...57).contains($0) }), let value = Int(text(length)), value <= Int.max / 2
        else { return nil }
        return .some(.exactly(value))
    }

    private static func isTarget(_ target: [UInt8], method: [UInt8]) -> Bool {
        guard let first = target.first, target.allSatisfy({ $0 > 32 && $0 < 127 && $0 != 0x23 }) else { return false }
        if text(method) == "CONNECT" { return isAuthority(target) }
        if first == 0x2F { return true }
        if target == [0x2A] { return text(method) == "OPTIONS" }
        let small = target.map { (65...90).contains($0) ? $0 + 32 : $0 }
        for scheme in ["http://", "https://"] where text(small).hasPrefix(scheme) {
            return isAuthority(Array(target.dropFirst(scheme.utf8.count).prefix { $0 != 0x2F && $0 != 0x3F }))
        }
        return false
    }

    private static func isAuthority(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        if rest.first == 0x5B {
            guard let close = rest.firstIndex(of: 0x5D), close >= 3 else { return false }
            let address = rest[1..<close]
            guard address.allSatisfy({ "0123456789abcdefABCDEF:.".utf8.contains($0) }) else { return false }
            rest = rest[(close + 1)...]
        } else {
            let host = rest.prefix { $0 != 0x3A }
            guard !host.isEmpty, host.allSatisfy({ "-._".utf8.contains($0) || isToken($0) && text([$0]).first?.isASCIIAlphanumeric == true })
            else { return false }
            rest = rest[host.endIndex...]
        }
        guard let colon = rest.first else { return true }
        let port = rest.dropFirst()
        guard colon == 0x3A, (1...19).contains(port.count), port.allSatisfy({ (48...57).contains($0) }), let number = Int(text(Array(port)))
        else { return false }
        return number <= 65535
    }

    private static func isVersion(_ bytes: [UInt8]) -> Bool { ["HTTP/1.0", "HTTP/1.1"].contains(text(bytes)) }

    private static func isToken(_ byte: UInt8) -> Bool {
        "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8.contains(byte)
    }

    private static func values(_ name: String, _ fields: [PlainField]) -> [[UInt8]] {
        fields.filter { $0.name == Array(name.utf8) }.map(\.value)
    }

    private static func trim(_ bytes: [UInt8]) -> [UInt8] {
        Array(bytes.drop { $0 == 32 || $0 == 9 }.reversed().drop { $0 == 32 || $0 == 9 }.reversed())
    }

    private static func text(_ bytes: [UInt8]) -> String {
        String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
    }

    private static func find(_ pattern: [UInt8], _ bytes: [UInt8], from start: Int) -> Int? {
        guard bytes.count >= start + pattern.count else { return nil }
        return (start...bytes.count - pattern.count).first { at in pattern.indices.allSatisfy { bytes[at + $0] == pattern[$0] } }
    }

    private static func split(_ bytes: [UInt8], at separator: [UInt8]) -> [[UInt8]] {
        var parts: [[UInt8]] = []
        var start = 0
        while let end = find(separator, bytes, from: start) {
            parts.append(Array(bytes[start..<end]))
            start = end + separator.count
        }
        return parts + [Array(bytes[start...])]
    }
}

extension Character {
    fileprivate var isASCIIAlphanumeric: Bool { isASCII && (isLetter || isNumber) }
}
