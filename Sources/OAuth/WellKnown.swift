// Where metadata lies: the candidates in the order in which they are asked.

package enum WellKnown {
    /// Of a protected resource (RFC 9728, section 3.1): the path-inserted form, then the root's, as MCP's authorization of 2025-11-25 has them.
    package static func resource(of server: ServiceURL) -> [String] {
        let root = "\(server.origin)/.well-known/oauth-protected-resource"
        let path = trimmed(server.path)
        return path.isEmpty ? [root] : [root + path, root]
    }

    /// Of an issuer: RFC 8414 (section 3.1), OpenID Connect inserted as RFC 8414 does it, then OpenID Connect Discovery's own (section 4.1).
    package static func provider(of issuer: ServiceURL) -> [String] {
        let path = trimmed(issuer.path)
        let inserted = ["oauth-authorization-server", "openid-configuration"].map { "\(issuer.origin)/.well-known/\($0)\(path)" }
        return path.isEmpty ? inserted : inserted + ["\(issuer.origin)\(path)/.well-known/openid-configuration"]
    }

    /// Without a final slash: both documents say so.
    private static func trimmed(_ path: String) -> String {
        path.utf8.last == UInt8(ascii: "/") ? String(path.dropLast()) : path
    }
}
