// Where an issuer's keys are, and how they are had from there.

internal import FoundationEssentials
package import Gateway
package import Outbound

/// A place that the configuration names.
package struct KeyPlace: Hashable, Sendable {
    /// As written.
    package let issuer: String
    package let keys: UserTokenRule.Keys

    package init(issuer: String, keys: UserTokenRule.Keys = .discovered) {
        self.issuer = issuer
        self.keys = keys
    }

    package init(_ rule: UserTokenRule) {
        self.init(issuer: rule.issuer, keys: rule.keys)
    }
}

/// Reads key sets, and what issuers say of themselves. What the operator names may be anywhere; what that leads to may be at public addresses, at those that
/// `gateway.outbound.allow` has, and where the issuer itself is.
package struct KeyFetcher: Sendable {
    private let client: any HTTPClient
    private let resolve: DocumentFetcher.Resolve
    private let allowed: @Sendable () -> [IPNetwork]

    /// - Parameter allowed: `gateway.outbound.allow` of the configuration in force.
    package init(client: any HTTPClient, resolve: @escaping DocumentFetcher.Resolve, allowed: @escaping @Sendable () -> [IPNetwork]) {
        self.client = client
        self.resolve = resolve
        self.allowed = allowed
    }

    /// The keys, and for how long they say they are good.
    package func keys(at place: KeyPlace) async throws(NoKeys) -> (keys: KeySet, life: Duration?) {
        switch place.keys {
        case .file(let path): return (try await read(try KeyFetcher.file(path), from: path), nil)
        case .url(let text):
            let (document, life) = try await fetch(text, trusting: [text])
            return (try await read(document, from: text), life)
        case .discovered:
            let provider = try await provider(of: place.issuer)
            guard let url = provider.keySet else { throw NoKeys("\(place.issuer) names no usable jwks_uri; set `jwks`") }
            let (document, life) = try await fetch(url.text, trusting: [place.issuer])
            return (try await read(document, from: url.text), life)
        }
    }

    /// What an issuer that the configuration names says of itself.
    package func provider(of issuer: String) async throws(NoKeys) -> ProviderMetadata {
        let url: ServiceURL
        do { url = try ServiceURL(issuer) } catch { throw NoKeys("the issuer \(error)") }
        do throws(Discovery.Fault) { return try await Discovery(fetcher(trusting: [issuer])).provider(of: url) } catch {
            switch error {
            case .unusable(let complaints): throw NoKeys("nothing usable is at the issuer: \(complaints.joined(separator: "; "))")
            case .passing(let words): throw NoKeys(words, isLasting: false)
            }
        }
    }

    /// Sends where that issuer says: its endpoints.
    package func client(for issuer: String) -> GuardedClient {
        GuardedClient(client, resolve: resolve, rule: rule(trusting: [issuer]))
    }

    private func fetch(_ text: String, trusting named: [String]) async throws(NoKeys) -> ([UInt8], Duration?) {
        do throws(DocumentFetcher.Fault) { return try await fetcher(trusting: named).fetch(text) } catch {
            switch error {
            case .absent: throw NoKeys("\(text) is not there")
            case .notUsable(let words): throw NoKeys("\(text) \(words)")
            case .passing(let words): throw NoKeys("\(text) \(words)", isLasting: false)
            }
        }
    }

    private func read(_ document: [UInt8], from place: String) async throws(NoKeys) -> KeySet {
        do { return try await KeySet(document) } catch { throw NoKeys("\(place) \(error)") }
    }

    private func fetcher(trusting named: [String]) -> DocumentFetcher {
        DocumentFetcher(client: client, resolve: resolve, rule: rule(trusting: named))
    }

    private func rule(trusting named: [String]) -> AddressRule {
        AddressRule(allowed: allowed(), trusted: Set(named.compactMap { try? ServiceURL($0).origin }))
    }

    /// A pipe or a device would never end, and a larger file is none.
    private static func file(_ path: String) throws(NoKeys) -> [UInt8] {
        let target = URL(filePath: path).resolvingSymlinksInPath().path
        guard let found = try? FileManager.default.attributesOfItem(atPath: target), found[.type] as? FileAttributeType == .typeRegular,
            let bytes = FileManager.default.contents(atPath: target)
        else { throw NoKeys("\(path) cannot be read; see that it exists and who may read it") }
        guard bytes.count <= DocumentFetcher.sizeLimit else { throw NoKeys("\(path) has more than \(DocumentFetcher.sizeLimit >> 10) KiB") }
        return Array(bytes)
    }
}

/// Why there are no keys; for whoever runs the gateway.
package struct NoKeys: Error, Equatable, Sendable, CustomStringConvertible {
    package let description: String
    /// Whether it stays so until somebody changes something.
    package let isLasting: Bool

    init(_ description: String, isLasting: Bool = true) {
        self.description = description
        self.isLasting = isLasting
    }
}
