// From nothing but a server's URL, and what it says in its challenge, to whoever gives tokens for it.

package import Gateway

/// MCP's authorization of 2025-11-25: the challenge's hint, RFC 9728's two places, then RFC 8414 and OpenID Connect for the issuer.
package struct Discovery: Sendable {
    private let fetcher: DocumentFetcher

    package struct Found: Equatable, Sendable {
        package let provider: ProviderMetadata
        /// What tokens are for (RFC 8707): as the server's metadata names itself, else its URL.
        package let resource: String
        /// What is asked for where the configuration says nothing: the challenge's, else the server's.
        package let scopes: [String]?
    }

    package enum Fault: Error, Equatable, Sendable {
        /// What was found does not do; each line names a document and what is wrong.
        case unusable([String])
        case passing(String)
    }

    package init(_ fetcher: DocumentFetcher) {
        self.fetcher = fetcher
    }

    /// - Parameters:
    ///   - server: the MCP server's URL.
    ///   - tls: how it is recognised and what it is shown, where it is asked itself.
    ///   - challenges: of its 401.
    ///   - issuer: the configured one; then the server's own metadata need not name it.
    package func find(
        _ server: ServiceURL, tls: UpstreamTLS = UpstreamTLS(), challenges: [Challenge], issuer configured: ServiceURL? = nil
    ) async throws(Fault) -> Found {
        var complaints: [String] = []
        let resource = try await resource(of: server, ServerTrust(server, tls), hint: Challenge.resourceMetadata(in: challenges), &complaints)
        // Servers of 2025-03-26 have no metadata of their own: then their origin is the issuer.
        let issuers = configured.map { [$0] } ?? resource?.issuers ?? [server.origin].compactMap { try? ServiceURL($0) }
        for issuer in issuers {
            guard let provider = try await provider(of: issuer, &complaints) else { continue }
            return Found(provider: provider, resource: resource?.resource ?? server.text, scopes: Challenge.scopes(in: challenges) ?? resource?.scopes)
        }
        throw .unusable(complaints)
    }

    private func resource(
        of server: ServiceURL, _ trust: ServerTrust, hint: String?, _ complaints: inout [String]
    ) async throws(Fault) -> ResourceMetadata? {
        // A hint counts for what it says of this server; where it fails, the places of the RFC are asked as without it.
        var hint = hint
        if let text = hint, let url = try? ServiceURL(text), !server.mayLead(to: url) {
            complaints.append("\(text) is http, and the server that names it https")
            hint = nil
        }
        for place in (hint.map { [$0] } ?? []) + WellKnown.resource(of: server) where !complaints.contains(where: { $0.hasPrefix(place + " ") }) {
            guard let document = try await document(at: place, trust, &complaints) else { continue }
            do {
                return try ResourceMetadata(document, of: server)
            } catch {
                complaints.append("\(place) \(error)")
            }
        }
        return nil
    }

    /// What the provider of that issuer says of itself.
    package func provider(of issuer: ServiceURL) async throws(Fault) -> ProviderMetadata {
        var complaints: [String] = []
        guard let provider = try await provider(of: issuer, &complaints) else { throw .unusable(complaints) }
        return provider
    }

    private func provider(of issuer: ServiceURL, _ complaints: inout [String]) async throws(Fault) -> ProviderMetadata? {
        for place in WellKnown.provider(of: issuer) {
            guard let document = try await document(at: place, nil, &complaints) else { continue }
            do {
                return try ProviderMetadata(document, of: issuer)
            } catch {
                complaints.append("\(place) \(error)")
            }
        }
        return nil
    }

    private func document(at place: String, _ trust: ServerTrust?, _ complaints: inout [String]) async throws(Fault) -> [UInt8]? {
        do throws(DocumentFetcher.Fault) {
            return try await fetcher.document(at: place, trust)
        } catch {
            switch error {
            case .absent: complaints.append("\(place) is not there")
            case .notUsable(let why): complaints.append("\(place) \(why)")
            // What another place says while this one is down is not what would be said otherwise.
            case .passing(let why): throw .passing("\(place): \(why)")
            }
            return nil
        }
    }
}
