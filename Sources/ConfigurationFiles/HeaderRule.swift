// Which headers a server's configuration may set: any but those that frame the message or are the gateway's own to say.

enum HeaderRule {
    /// What is wrong with setting this header, with the remedy; nil when it may be set.
    static func fault(_ name: String) -> String? {
        guard !name.isEmpty, name.utf8.count <= 128, name.utf8.allSatisfy(isToken) else {
            return "a header's name takes letters, digits and `! # $ % & ' * + - . ^ _ | ~` (RFC 9110), not \(name.quoted)"
        }
        let folded = name.lowercased().replacing("_", with: "-")
        if let reason = owned[folded] { return "the header \(name.quoted) cannot be set here: \(reason)" }
        if let reason = ownedPrefixes.first(where: { folded.hasPrefix($0.prefix) })?.reason {
            return "the header \(name.quoted) cannot be set here: \(reason)"
        }
        return nil
    }

    private static let framing = "it frames the message, and the gateway writes it; take it out"
    private static let hop = "it belongs to one connection, and the gateway writes it; take it out"
    private static let caller = "it says to the gateway who calls, and never goes further; take it out"
    private static let protocolOwn = "it is MCP's own and comes from the client; take it out"
    private static let trail = "it says where a request came from, and never goes further; take it out"

    private static let owned: [String: String] = [
        "host": "it comes from `url`; change that, or `tls.server_name`", "content-length": framing, "transfer-encoding": framing, "expect": framing,
        "content-type": "it belongs to the client's body; take it out", "content-encoding": "it belongs to the client's body; take it out",
        "connection": hop, "keep-alive": hop, "te": hop, "trailer": hop, "upgrade": hop, "http2-settings": hop,
        "x-user-email": caller, "x-user-token": caller, "x-request-id": "the gateway writes it; take it out",
        "last-event-id": protocolOwn, "forwarded": trail, "via": trail, "x-real-ip": trail,
    ]

    private static let ownedPrefixes: [(prefix: String, reason: String)] = [
        ("proxy-", hop), ("x-claviger-", caller), ("mcp-", protocolOwn), ("x-forwarded-", trail),
    ]

    /// RFC 9110, section 5.6.2.
    private static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case 48...57, 65...90, 97...122: true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
