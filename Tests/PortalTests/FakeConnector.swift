// A way to a provider that keeps what it was asked, and answers as the test says.

import Gateway
import OAuth
import Synchronization
import Testing

@testable import Portal

final class FakeConnector: ConnectDesk {
    struct Begun: Sendable {
        let instance: ServerInstance
        let user: UserEmail?
        let session: Secret
        let tag: String
    }

    struct Books: Sendable {
        var begun: [Begun] = []
        var refusal: ConnectFault?
        /// What becomes of whoever comes back.
        var end: ConnectFault?
        var isAgain = false
    }

    let books = Mutex(Books())

    func begin(_ instance: ServerInstance, user: UserEmail?, session: Secret, tag: String) async throws(ConnectFault) -> String {
        let refusal = books.withLock { books in
            books.begun.append(Begun(instance: instance, user: user, session: session, tag: tag))
            return books.refusal
        }
        if let refusal { throw refusal }
        return "https://login.example/authorize?state=s"
    }

    func finish(
        _ answer: AuthorizationAnswer, server: String, session: Secret, mayGoOn: @Sendable (ConnectErrand) async -> String?
    ) async throws(Authorizations.Failed) -> ConnectOutcome {
        let (begun, end, isAgain) = books.withLock { ($0.begun.last, $0.end, $0.isAgain) }
        guard let begun, begun.session.isSame(as: session), answer.state != nil, let url = try? ServiceURL("https://hub.example.com/mcp") else {
            throw Authorizations.Failed(errand: nil, fault: .unknown)
        }
        let plan = TokenPlan(
            OAuthServer(name: server, title: begun.instance.server.title ?? server, url: url, settings: OAuthSettings()), .grant)
        let errand = ConnectErrand(
            reference: Reference(begun.instance, user: begun.user), plan: plan, project: begun.instance.project, server: begun.instance.name,
            user: begun.user, tag: begun.tag)
        if let why = await mayGoOn(errand) { throw Authorizations.Failed(errand: errand, fault: .notAllowed(why)) }
        if let end { throw Authorizations.Failed(errand: errand, fault: end) }
        return isAgain ? .again("https://login.example/again") : .connected(errand, scopes: ["a"], isReplacing: false)
    }

    func clientDocument(of server: ServerName) -> [UInt8]? {
        server.text == "hub" ? Array("{}".utf8) : nil
    }
}
