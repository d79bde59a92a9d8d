// In whose language a refusal is said: HTTP's alone, or JSON-RPC's of one era or the other.

internal import Kernel

/// The form of a refusal's body.
package enum RefusalForm: Equatable, Sendable {
    /// `{"error":{"code","message"}}`.
    case plain
    /// A JSON-RPC error, or in an array one for each call. `calls` is not empty.
    case jsonRPC(era: ProtocolEra, calls: [JSONRPCGlimpse.Call], isBatch: Bool)

    /// The form for a POST whose body was looked into.
    ///
    /// - Parameter version: the value of the request's `MCP-Protocol-Version`; nil without one.
    package init(_ glimpse: JSONRPCGlimpse, version: RawSpan?) {
        switch glimpse {
        case .calls(let calls, let isBatch):
            let era = if let version { ProtocolEra(version: version) } else { ProtocolEra.sessions }
            self = .jsonRPC(era: era, calls: calls, isBatch: isBatch)
        case .nothingToAnswer, .unreadable:
            self = .plain
        }
    }
}

/// The two ways in which MCP asks a person for something.
package enum ProtocolEra: Sendable {
    /// Up to 2025-11-25, or no version said: an error -32042 with the elicitations.
    case sessions
    /// From 2026-07-28 on: an `InputRequiredResult`.
    case stateless

    /// - Parameter version: a revision's date, `2026-07-28`; anything else counts as the older era, which needs nothing declared.
    package init(version: RawSpan) {
        let first: StaticString = "2026-07-28"
        self = .sessions
        guard version.byteCount == first.utf8CodeUnitCount else { return }
        var order = 0
        for (at, byte) in first.description.utf8.enumerated() {
            let isDash = byte == UInt8(ascii: "-")
            guard isDash ? version[at] == byte : (0x30...0x39).contains(version[at]) else { return }
            if order == 0 { order = Int(version[at]) - Int(byte) }
        }
        if order >= 0 { self = .stateless }
    }
}
