// What a server says of itself as a protected resource (RFC 9728).

internal import FoundationEssentials

package struct ResourceMetadata: Equatable, Sendable {
    package let resource: String
    /// In their order; at least one.
    package let issuers: [ServiceURL]
    package let scopes: [String]?

    private struct Document: Decodable {
        let resource: String
        let authorization_servers: [String]?
        let scopes_supported: [String]?
    }

    /// - Parameters:
    ///   - document: JSON, 256 KiB at most.
    ///   - server: which it must speak of: its `resource` is the server's URL, or a part of it from the front that ends where a path segment does
    ///     (section 3.3 wants equality; servers that announce their origin are common, and cover no other host).
    /// - Throws: what is wrong with it, in words.
    package init(_ document: [UInt8], of server: ServiceURL) throws(NotUsable) {
        let read: Document
        do {
            read = try JSONDecoder().decode(Document.self, from: Data(document))
        } catch {
            throw NotUsable("is not protected resource metadata")
        }
        let named: ServiceURL
        do { named = try ServiceURL(read.resource) } catch { throw NotUsable("names a resource that \(error)") }
        guard named.origin.utf8.elementsEqual(server.origin.utf8), ResourceMetadata.covers(named.path, server.path) else {
            throw NotUsable("speaks of another resource, \(named.text)")
        }
        issuers = (read.authorization_servers ?? []).compactMap { try? ServiceURL($0) }.filter(server.mayLead)
        guard !issuers.isEmpty else { throw NotUsable("names no authorization server that can be used") }
        resource = read.resource
        scopes = read.scopes_supported.map { Scopes.union([], $0.flatMap(Scopes.read)) }
    }

    private static func covers(_ prefix: String, _ path: String) -> Bool {
        let prefix = prefix.utf8.last == UInt8(ascii: "/") ? String(prefix.dropLast()) : prefix
        guard path.utf8.starts(with: prefix.utf8) else { return false }
        let rest = path.utf8.dropFirst(prefix.utf8.count)
        return rest.isEmpty || rest.first == UInt8(ascii: "/")
    }
}
