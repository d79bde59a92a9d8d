// An identity provider's desk that keeps what it was asked, and lets back whom the test says.

import Gateway
import Kernel
import OAuth
import Synchronization

@testable import Portal

final class FakeProvider: SignInProvider {
    struct Begun: Sendable {
        let redirectURI: String
        let session: Secret
        let tag: String
    }

    struct Books: Sendable {
        var begun: [Begun] = []
        var refusal: SignInFault?
        var end: SignInFault?
        /// As whom they come back.
        var address = "ana@acme.com"
    }

    let books = Mutex(Books())

    func begin(_ settings: OIDCSettings, redirectURI: String, session: Secret, tag: String) async throws(SignInFault) -> String {
        let refusal = books.withLock { books in
            books.begun.append(Begun(redirectURI: redirectURI, session: session, tag: tag))
            return books.refusal
        }
        if let refusal { throw refusal }
        return "\(settings.issuer)/authorize?state=s"
    }

    func tag(of state: Secret) async -> String? {
        state.bytes.copied() == Array("s".utf8) ? books.withLock { $0.begun.last?.tag } : nil
    }

    func finish(_ answer: AuthorizationAnswer, session: Secret, under settings: OIDCSettings?) async throws(SignIns.Failed) -> (tag: String, user: UserEmail) {
        let (begun, end, address) = books.withLock { books in (books.begun.popLast(), books.end, books.address) }
        guard let begun, begun.session.isSame(as: session), answer.state?.bytes.copied() == Array("s".utf8), settings != nil else {
            throw SignIns.Failed(tag: nil, fault: .unknown)
        }
        if let end { throw SignIns.Failed(tag: begun.tag, fault: end) }
        guard let user = UserEmail(address) else { throw SignIns.Failed(tag: begun.tag, fault: .nobody) }
        return (begun.tag, user)
    }
}
