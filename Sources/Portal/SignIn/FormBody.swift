// What a page's form sends: pairs whose values become text only where they are asked for as text.

internal import Gateway
internal import Hummingbird
internal import Kernel
internal import NIOCore

/// As `application/x-www-form-urlencoded` (WHATWG URL, section 5.1). The values lie in locked memory.
struct FormBody: Sendable {
    private let pairs: [(name: String, value: Secret)]

    static let limit = 96 << 10

    init(_ bytes: RawSpan) {
        var pairs: [(name: String, value: Secret)] = []
        var at = 0
        while at < bytes.byteCount, pairs.count < 200 {
            let end = FormBody.place(of: UInt8(ascii: "&"), in: bytes, from: at)
            let pair = bytes.extracting(at..<end)
            let equals = FormBody.place(of: UInt8(ascii: "="), in: pair, from: 0)
            let name = String(decoding: FormBody.decoded(pair.extracting(0..<equals)).bytes.copied(), as: UTF8.self)
            pairs.append((name, FormBody.decoded(pair.extracting(min(equals + 1, pair.byteCount)...))))
            at = end + 1
        }
        self.pairs = pairs
    }

    /// Nil for what is too large or breaks off. What was received is overwritten where it lay.
    init?(_ request: Request) async {
        guard var body = try? await request.body.collect(upTo: FormBody.limit) else { return nil }
        defer { body.setRepeatingByte(0, count: body.readableBytes, at: body.readerIndex) }
        self.init(body.readableBytesSpan)
    }

    /// The first of that name; nil where it is not sent.
    func secret(_ name: String) -> Secret? { pairs.first { $0.name == name }?.value }

    /// As text, without blanks around it; empty where it is not sent or is no UTF-8.
    func text(_ name: String) -> String {
        guard let value = secret(name), let text = String(validating: FormBody.trimmed(value.bytes).copied(), as: UTF8.self) else { return "" }
        return text
    }

    func texts(_ name: String) -> [String] {
        pairs.filter { $0.name == name }.compactMap { String(validating: $0.value.bytes.copied(), as: UTF8.self) }
    }

    /// The value without blanks and line breaks around it, which come with what is pasted.
    func pasted(_ name: String) -> Secret? {
        secret(name).map { Secret(copying: FormBody.trimmed($0.bytes)) }
    }

    @_lifetime(copy bytes)
    private static func trimmed(_ bytes: RawSpan) -> RawSpan {
        var (start, end) = (0, bytes.byteCount)
        while start < end, bytes[start] <= 0x20 { start += 1 }
        while end > start, bytes[end - 1] <= 0x20 { end -= 1 }
        return bytes.extracting(start..<end)
    }

    private static func decoded(_ bytes: RawSpan) -> Secret {
        var out = LockedBuffer(capacity: bytes.byteCount)
        var at = 0
        while at < bytes.byteCount {
            let byte = bytes[at]
            if byte == UInt8(ascii: "%"), at + 2 < bytes.byteCount, let high = digit(bytes[at + 1]), let low = digit(bytes[at + 2]) {
                out.append(byte: high << 4 | low)
                at += 3
            } else {
                out.append(byte: byte == UInt8(ascii: "+") ? 0x20 : byte)
                at += 1
            }
        }
        return Secret(out)
    }

    private static func place(of byte: UInt8, in bytes: RawSpan, from start: Int) -> Int {
        var at = start
        while at < bytes.byteCount, bytes[at] != byte { at += 1 }
        return at
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 48...57: byte - 48
        case 65...70: byte - 55
        case 97...102: byte - 87
        default: nil
        }
    }
}
