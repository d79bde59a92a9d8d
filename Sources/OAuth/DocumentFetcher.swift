// Reads a document from a URL that somebody else named, so that it cannot be made to read anything else.

internal import Gateway
package import Kernel
package import Outbound

/// Every address of the host is checked, and no other is asked; a redirect is another URL, checked anew.
package struct DocumentFetcher: Sendable {
    package typealias Resolve = @Sendable (_ host: String, _ port: UInt16) async throws(ResolveFault) -> [SocketAddress]

    private let client: any HTTPClient
    private let resolve: Resolve
    private let rule: AddressRule

    /// Of a document.
    private static let sizeLimit = 256 << 10
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

    package init(client: any HTTPClient, resolve: @escaping Resolve, rule: AddressRule) {
        self.client = client
        self.resolve = resolve
        self.rule = rule
    }

    /// The document's bytes.
    package func document(at text: String) async throws(Fault) -> [UInt8] {
        var text = text
        for _ in 0...DocumentFetcher.redirectLimit {
            let url: ServiceURL
            do { url = try ServiceURL(text) } catch { throw .notUsable(error.description) }
            let response = try await answer(of: url)
            switch response.status {
            case 200: return response.body.bytes.copied()
            case 301, 302, 303, 307, 308:
                guard let location = response["location"] else { throw .notUsable("redirects to nowhere") }
                text = location.utf8.first == UInt8(ascii: "/") && !location.utf8.starts(with: "//".utf8) ? url.origin + location : location
            case 400..<500 where response.status != 429: throw .absent
            default: throw .passing("answered \(response.status)")
            }
        }
        throw .notUsable("redirects more than \(DocumentFetcher.redirectLimit) times")
    }

    private func answer(of url: ServiceURL) async throws(Fault) -> OutboundResponse {
        let addresses: [SocketAddress]
        do { addresses = try await resolve(url.host, url.port) } catch { throw .passing("does not resolve: \(error)") }
        do { try rule.check(addresses, of: url) } catch { throw .notUsable(error.description) }
        var request = OutboundRequest(.get, url.text, fields: [OutboundRequest.Field("Accept", "application/json")])
        request.limits = OutboundRequest.Limits(time: DocumentFetcher.timeLimit, connecting: DocumentFetcher.timeLimit, answer: DocumentFetcher.sizeLimit)
        request.resolution = OutboundRequest.Resolution(host: url.host, port: url.port, addresses: addresses)
        request.usesProxy = url.isEncrypted
        do throws(OutboundFault) {
            return try await client.send(request)
        } catch {
            if error.kind == .tooLarge { throw .notUsable("has more than \(DocumentFetcher.sizeLimit >> 10) KiB") }
            throw .passing(error.description)
        }
    }
}
