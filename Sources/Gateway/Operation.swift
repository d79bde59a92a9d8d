// What an MCP request asks for, as its headers say it: for records and traces, never to decide by.

package import HTTP1
internal import Kernel

/// `Mcp-Method` and `Mcp-Name` of a request of 2026-07-28 or later, whose server holds them to the body.
package final class Operation: Sendable {
    /// `tools/call` and its like.
    package let method: String
    /// Of `tools/call` and `prompts/get`: the tool or the prompt. A resource's URI is not kept: it may hold anything.
    package let name: String?
    /// As they came.
    private let texts: (method: [UInt8], name: [UInt8])

    package static let longestMethod = 64
    package static let longestName = 128

    /// - Parameters:
    ///   - method, name: the fields' values; an empty name where there is no field.
    /// - Returns: nil where the method is no text of 64 bytes.
    package init?(method: RawSpan, name: RawSpan) {
        guard let text = Operation.text(method, atMost: Operation.longestMethod) else { return nil }
        self.method = text
        let isNamed = text.utf8.elementsEqual("tools/call".utf8) || text.utf8.elementsEqual("prompts/get".utf8)
        self.name = isNamed ? Operation.decoded(name) : nil
        texts = (method.copied(), name.copied())
    }

    func isSaid(by method: RawSpan, _ name: RawSpan) -> Bool {
        let (ownMethod, ownName) = texts
        return method.equals(ownMethod.span.raw) && name.equals(ownName.span.raw)
    }

    /// A name as it is, or out of `=?base64?…?=`.
    private static func decoded(_ name: RawSpan) -> String? {
        let (opening, closing, count) = (9, 2, name.byteCount)
        guard count >= opening + closing, name.extracting(0..<opening).isEqual(to: "=?base64?"), name.extracting(count - closing..<count).isEqual(to: "?=")
        else { return text(name, atMost: longestName) }
        let digits = name.extracting(opening..<count - closing)
        guard digits.byteCount <= longestName * 4 / 3 + 4, let bytes = base64(digits) else { return nil }
        return text(bytes.span.raw, atMost: longestName)
    }

    private static func text(_ bytes: RawSpan, atMost most: Int) -> String? {
        guard bytes.byteCount > 0, bytes.byteCount <= most else { return nil }
        return String(validating: bytes.copied(), as: UTF8.self)
    }

    /// RFC 4648, section 4; nil for what is none.
    private static func base64(_ digits: RawSpan) -> [UInt8]? {
        var end = digits.byteCount
        guard end % 4 == 0 else { return nil }
        while end > 0, digits.byteCount - end < 2, digits[end - 1] == UInt8(ascii: "=") { end -= 1 }
        var bytes: [UInt8] = []
        var bits: UInt32 = 0
        for at in 0..<end {
            guard let value = base64Value(digits[at]) else { return nil }
            bits = bits << 6 | UInt32(value)
            // The first digit of four only begins a byte.
            if at % 4 > 0 { bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(6 - at % 4 * 2))) }
        }
        return bytes
    }

    private static func base64Value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): digit - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): digit - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}

/// The operations that a worker saw before, a bounded number of them: one that is asked for again costs no allocation.
package final class OperationMemo {
    private let known: Own<PairedPlaces<Operation>>

    /// - Parameter most: a power of two, at least two.
    package init(most: Int = 512) {
        known = Own(PairedPlaces(most))
    }

    /// What a request asks for; nil where its headers do not say so, or say it twice.
    package func operation(of head: borrowing RequestHead, _ bytes: RawSpan) -> Operation? {
        guard head.count(of: .mcpMethod) == 1, let method = head.first(.mcpMethod), let version = head.first(.mcpProtocolVersion),
            bytes[version.value].isEqual(to: "2026-07-28") || ProtocolEra(version: bytes[version.value]) == .stateless
        else { return nil }
        let name = head.count(of: .mcpName) == 1 ? head.first(.mcpName)?.value ?? .empty : .empty
        let (said, named) = (bytes[method.value], bytes[name])
        guard said.byteCount <= Operation.longestMethod, named.byteCount <= 256 else { return nil }
        let place = IdentityMemo.place(of: said) &* 31 ^ IdentityMemo.place(of: named)
        if let operation = known.value.first(at: place, where: { $0.isSaid(by: said, named) }) { return operation }
        guard let operation = Operation(method: said, name: named) else { return nil }
        known.value.insert(operation, at: place)
        return operation
    }
}
