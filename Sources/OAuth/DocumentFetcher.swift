// Reads a document from a URL that somebody else named, so that it cannot be made to read anything else.

internal import Gateway
package import Kernel
package import Outbound

/// Every address of the host is checked, and no other is asked; a redirect is another URL, checked anew.
package struct DocumentFetcher: Sendable {
    package typealias Resolve = @Sendable (_ host: String, _ port: UInt16) async throws(ResolveFault) -> [SocketAddress]

    private let client: any HTTPClient
    private let resolve: Resolve
    private let rule: @Sendable () -> AddressRule
    private let shelf: DocumentShelf?

    /// Of a document.
    static let sizeLimit = 256 << 10
    /// Of each answer.
    private static let timeLimit = Duration.seconds(5)
    private static let redirectLimit = 3

    package enum Fault: Error, Equatable, Sendable {
        /// There is none: 404, 410 and the like.
        case absent
        /// It may not be asked, or what it says may not be believed; words that follow the URL.
        case notUsable(String)
        /// It cannot be asked now.
        case passing(String)
    }

    /// - Parameters:
    ///   - rule: looked at anew for each document that is fetched.
    ///   - shelf: where documents are kept for their time; nil keeps none.
    package init(
        client: any HTTPClient, resolve: @escaping Resolve, rule: @autoclosure @escaping @Sendable () -> AddressRule, shelf: DocumentShelf? = nil
    ) {
        self.client = client
        self.resolve = resolve
        self.rule = rule
        self.shelf = shelf
    }

    /// The document's bytes: from the shelf while they are good, and from there where they cannot be had anew.
    package func document(at text: String) async throws(Fault) -> [UInt8] {
        try await document(at: text, nil)
    }

    /// - Parameter trust: of the server whose document it is: counts at that server's origin and nowhere else, wherever it is redirected to.
    func document(at text: String, _ trust: ServerTrust?) async throws(Fault) -> [UInt8] {
        guard let shelf else { return try await fetch(text, trust).bytes }
        let place = text + (trust?.name ?? "")
        switch shelf.fresh(place) {
        case .document(let bytes)?: return bytes
        case .absent?: throw .absent
        case nil: break
        }
        do throws(Fault) {
            let (bytes, life) = try await fetch(text, trust)
            shelf.put(.document(bytes), at: place, for: life)
            return bytes
        } catch {
            switch error {
            case .absent: shelf.put(.absent, at: place, for: nil)
            case .passing: if case .document(let bytes)? = shelf.stale(place) { return bytes }
            case .notUsable: break
            }
            throw error
        }
    }

    /// The document as it is now, and for how long it says it is good.
    func fetch(_ text: String, _ trust: ServerTrust? = nil) async throws(Fault) -> (bytes: [UInt8], life: Duration?) {
        var text = text
        var last: ServiceURL?
        for _ in 0...DocumentFetcher.redirectLimit {
            let url: ServiceURL
            do { url = try ServiceURL(text) } catch { throw .notUsable(error.description) }
            guard last?.mayLead(to: url) != false else { throw .notUsable("redirects from https to http") }
            last = url
            let response = try await answer(of: url, trust)
            switch response.status {
            case 200: return (response.body.bytes.copied(), DocumentShelf.life(response["cache-control"]))
            case 301, 302, 303, 307, 308:
                guard let location = response["location"] else { throw .notUsable("redirects to nowhere") }
                text = location.utf8.first == UInt8(ascii: "/") && !location.utf8.starts(with: "//".utf8) ? url.origin + location : location
            case 400..<500 where response.status != 429: throw .absent
            default: throw .passing("answered \(response.status)")
            }
        }
        throw .notUsable("redirects more than \(DocumentFetcher.redirectLimit) times")
    }

    private func answer(of url: ServiceURL, _ trust: ServerTrust?) async throws(Fault) -> OutboundResponse {
        var request = OutboundRequest(.get, url.text, fields: [OutboundRequest.Field("Accept", "application/json")])
        request.limits = OutboundRequest.Limits(time: DocumentFetcher.timeLimit, connecting: DocumentFetcher.timeLimit, answer: DocumentFetcher.sizeLimit)
        do throws(AddressRule.NoWay) { request.resolution = try await rule().resolution(of: url, by: resolve) } catch {
            switch error {
            case .unresolved(let words): throw .passing(words)
            case .forbidden(let words): throw .notUsable(words)
            }
        }
        request.usesProxy = url.isEncrypted
        trust?.apply(to: &request, at: url)
        do throws(OutboundFault) {
            return try await client.send(request)
        } catch {
            if error.kind == .tooLarge { throw .notUsable("has more than \(DocumentFetcher.sizeLimit >> 10) KiB") }
            throw .passing(error.description)
        }
    }
}
