// Who a request came from, past the proxies that the settings trust.

internal import Kernel

/// Walks `X-Forwarded-For` from its end: the peer, then what a trusted peer says it spoke for, and so on to the first address that is not trusted.
///
/// Every element right of that one was written by a trusted proxy; those left of it are hearsay and are not looked at.
package struct ClientAddress: Sendable {
    /// The client as known so far.
    package private(set) var address: IPAddress
    private let trusted: [IPNetwork]
    private var isSettled: Bool

    /// - Parameter peer: the other end of the connection.
    package init(peer: IPAddress, trusted: [IPNetwork]) {
        address = peer
        self.trusted = trusted
        isSettled = !trusted.contains { $0.contains(peer) }
    }

    /// Reads the value of one `X-Forwarded-For` field. Where a request has several, the last is read first.
    ///
    /// An element that is no address (`unknown`, an obfuscated name) ends the walk at the proxy that wrote it. A port behind an IPv4 address or
    /// a bracketed IPv6 address is passed over.
    package mutating func read(_ value: RawSpan) {
        var end = value.byteCount
        while !isSettled, end >= 0 {
            var start = end
            while start > 0, value[start - 1] != UInt8(ascii: ",") { start -= 1 }
            guard let element = ClientAddress.element(value, start, end) else {
                isSettled = true
                return
            }
            address = element
            isSettled = !trusted.contains { $0.contains(element) }
            end = start - 1
        }
    }

    private static func element(_ value: RawSpan, _ lower: Int, _ upper: Int) -> IPAddress? {
        var lower = lower, upper = upper
        func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
        while lower < upper, isBlank(value[lower]) { lower += 1 }
        while lower < upper, isBlank(value[upper - 1]) { upper -= 1 }
        let text = value.extracting(lower..<upper)
        if let address = IPAddress(text) { return address }
        guard text.byteCount > 2 else { return nil }
        if text[0] == UInt8(ascii: "[") {
            guard let bracket = text.first(UInt8(ascii: "]")), isPort(text.extracting(bracket + 1..<text.byteCount)) else { return nil }
            return IPAddress(text.extracting(1..<bracket))
        }
        guard let colon = text.first(UInt8(ascii: ":")), isPort(text.extracting(colon..<text.byteCount)) else { return nil }
        return IPAddress(text.extracting(0..<colon))
    }

    /// Nothing, or a colon and digits.
    private static func isPort(_ text: RawSpan) -> Bool {
        guard text.byteCount > 0 else { return true }
        guard text[0] == UInt8(ascii: ":"), (2...6).contains(text.byteCount) else { return false }
        for at in 1..<text.byteCount where !(0x30...0x39).contains(text[at]) { return false }
        return true
    }
}
