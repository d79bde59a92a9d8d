// Sends people to providers, and makes grants of what they come back with.

package import EventLoop
package import Gateway
package import Kernel
package import Outbound

/// What the provider's redirect brought, as it stood in the query.
package struct AuthorizationAnswer: Sendable {
    package let code: Secret?
    package let state: Secret?
    package let issuer: String?
    /// RFC 6749, section 4.1.2.1.
    package let error: String?

    package init(code: Secret?, state: Secret?, issuer: String?, error: String?) {
        self.code = code
        self.state = state
        self.issuer = issuer
        self.error = error
    }
}

/// Why a person is not connected. Each is a different thing to do.
package enum ConnectFault: Error, Sendable {
    /// The answer belongs to no authorization of this browser: begun elsewhere, too long ago, or finished before.
    case unknown
    /// The person said no, or the provider did; its code, printable and short.
    case declined(String)
    /// The answer is another provider's (RFC 9207).
    case mixedUp
    /// Who began it may not go on: a link has ended, a server was taken away.
    case notAllowed(String)
    /// The provider, or its configuration here, does not do; for the operator.
    case provider(String)
    /// Not now.
    case passing(String)
}

package actor Authorizations {
    private nonisolated let loop: EventLoop
    private let providers: Providers
    private let keeper: GrantKeeper
    private let client: any HTTPClient
    private let clock: @Sendable () -> MonotonicTime
    private let wallClock: @Sendable () -> Int64
    private var pending = OneTimeTable<PendingAuthorization>(life: .seconds(600), capacity: 10_000, ofSession: 20)

    package enum Outcome: Sendable {
        case connected(ConnectErrand, GrantRecord)
        /// The provider had forgotten the client: the person goes there once more.
        case again(String)
    }

    package init(
        on loop: EventLoop, providers: Providers, keeper: GrantKeeper, client: any HTTPClient, clock: @escaping @Sendable () -> MonotonicTime,
        wallClock: @escaping @Sendable () -> Int64
    ) {
        self.loop = loop
        self.providers = providers
        self.keeper = keeper
        self.client = client
        self.clock = clock
        self.wallClock = wallClock
    }

    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.serial }

    /// Where the person is to be sent.
    ///
    /// - Parameters:
    ///   - session: what the browser shows when it comes back; its digest.
    ///   - wanted: scopes that the server has asked for since it was connected.
    package func begin(_ errand: ConnectErrand, session: Secret, wanted: [String]) async throws(ConnectFault) -> String {
        try await begin(errand, session: session, wanted: wanted, isSecond: false)
    }

    private func begin(_ errand: ConnectErrand, session: Secret, wanted: [String], isSecond: Bool) async throws(ConnectFault) -> String {
        let connection: Providers.Connection
        do throws(NoTerms) {
            connection = try await providers.connection(for: errand.plan.server, isSubject: errand.plan.isSubject, wanted: wanted)
        } catch {
            throw error.isLasting ? .provider(error.description) : .passing(error.description)
        }
        let authorization = PendingAuthorization(
            errand: errand, provider: connection.provider, terms: connection.terms,
            redirectURI: providers.redirectURI(of: errand.plan.server.name), scopes: connection.scopes, isSecond: isSecond)
        let state = pending.begin(authorization, session: session, now: clock())
        do { return try authorization.url(state: state, requiresProofKey: errand.plan.server.settings.requiresProofKey) } catch {
            throw .provider(error.description)
        }
    }

    /// The person is back.
    ///
    /// - Parameters:
    ///   - server: of the redirect URI.
    ///   - session: as at the beginning.
    ///   - mayGoOn: asked before anything is done with the answer; says why not.
    /// - Throws: what is to be said on the page, and how the errand ended for whoever waits for it, where it is known which it was.
    package func finish(
        _ answer: AuthorizationAnswer, server: String, session: Secret, mayGoOn: @Sendable (ConnectErrand) async -> String?
    ) async throws(Failed) -> Outcome {
        guard let state = answer.state, let authorization = pending.take(state: state, session: session, now: clock()),
            authorization.server.utf8.elementsEqual(server.utf8)
        else { throw Failed(errand: nil, fault: .unknown) }
        do throws(ConnectFault) {
            return try await finish(answer, authorization, session, mayGoOn)
        } catch {
            throw Failed(errand: authorization.errand, fault: error)
        }
    }

    package struct Failed: Error, Sendable {
        package let errand: ConnectErrand?
        package let fault: ConnectFault

        package init(errand: ConnectErrand?, fault: ConnectFault) {
            self.errand = errand
            self.fault = fault
        }
    }

    private func finish(
        _ answer: AuthorizationAnswer, _ authorization: PendingAuthorization, _ session: Secret, _ mayGoOn: @Sendable (ConnectErrand) async -> String?
    ) async throws(ConnectFault) -> Outcome {
        // Before anything of the answer counts, its error too.
        guard authorization.accepts(issuer: answer.issuer) else { throw .mixedUp }
        if let why = await mayGoOn(authorization.errand) { throw .notAllowed(why) }
        if let error = answer.error { throw .declined(error) }
        guard let code = answer.code, code.count > 0 else { throw .declined("it sent no code") }
        let request: OutboundRequest
        do {
            request = try authorization.exchange(of: code).request(
                to: authorization.terms.tokenEndpoint, by: authorization.terms.client, limits: OutboundRequest.Limits(time: .seconds(10)))
        } catch {
            throw .provider(error.description)
        }
        let begun = clock()
        let response: OutboundResponse
        do throws(OutboundFault) { response = try await client.send(request) } catch { throw .passing("the token endpoint: \(error)") }
        let secrets = [code, authorization.proofKey.verifier] + authorization.terms.client.secrets
        switch TokenAnswer.read(status: response.status, body: response.body.bytes).hiding(secrets) {
        case .tokens(let tokens):
            // A task of its own: a browser that leaves now has connected all the same.
            let task = Task { () async -> Result<Outcome, ConnectFault> in
                do throws(ConnectFault) { return .success(try await self.keep(tokens, of: authorization, begun)) } catch { return .failure(error) }
            }
            return try await task.value.get()
        case .refused(let refused):
            guard refused.kind == .invalidClient, authorization.terms.isRegistered, !authorization.isSecond else {
                throw refused.kind == .passing ? .passing(refused.words) : .provider("the token endpoint of \(authorization.provider.issuer): \(refused.words)")
            }
            do throws(NoTerms) {
                _ = try await providers.renew(authorization.terms.client, for: authorization.errand.plan.server, authorization.provider, authorization.scopes)
            } catch {
                throw error.isLasting ? .provider(error.description) : .passing(error.description)
            }
            return .again(try await begin(authorization.errand, session: session, wanted: authorization.scopes, isSecond: true))
        }
    }

    private func keep(
        _ tokens: TokenAnswer.Tokens, of authorization: PendingAuthorization, _ begun: MonotonicTime
    ) async throws(ConnectFault) -> Outcome {
        let errand = authorization.errand
        let expires = tokens.life.map { wallClock() + $0.components.seconds }
        let record = GrantRecord(
            key: tokens.refresh.map { .refreshToken($0) } ?? .accessToken(tokens.access, expires: expires), issuer: authorization.provider.issuer.text,
            client: authorization.terms.client.identifier, scopes: tokens.scopes ?? authorization.scopes, generation: 1,
            origin: errand.plan.isSubject ? nil : errand.plan.server.url.origin, resource: authorization.terms.resource,
            proof: authorization.terms.isRegistered ? authorization.terms.client.kept : nil)
        do throws(GrantStoreFault) {
            try await keeper.connect(record, access: tokens.access, life: tokens.life, obtained: begun, as: errand.reference, by: errand.plan)
        } catch {
            throw .passing("it could not be kept: \(error)")
        }
        return .connected(errand, record)
    }
}
