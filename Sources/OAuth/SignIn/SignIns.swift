// People who sign in at the company's provider: sent there, and known by the ID token that they come back with.

package import EventLoop
package import Gateway
package import Kernel
internal import Outbound

/// OpenID Connect Core's code flow (section 3.1), with PKCE, `state` and `nonce`. Runs on a loop of its own, never on a worker.
package actor SignIns {
    private nonisolated let loop: EventLoop
    private let fetcher: KeyFetcher
    private let keys: KeySets
    private let clock: @Sendable () -> MonotonicTime
    private let wallClock: @Sendable () -> Int64
    private var pending = OneTimeTable<PendingSignIn>(life: .seconds(600), capacity: 10_000, ofSession: 10)
    /// What issuers say of themselves, for a while.
    private var providers: [String: (metadata: ProviderMetadata, until: MonotonicTime)] = [:]

    private static let metadataLife = Duration.seconds(300)
    private static let limits = OutboundRequest.Limits(time: .seconds(10), answer: 64 << 10)

    package init(
        on loop: EventLoop, fetcher: KeyFetcher, keys: KeySets, clock: @escaping @Sendable () -> MonotonicTime, wallClock: @escaping @Sendable () -> Int64
    ) {
        self.loop = loop
        self.fetcher = fetcher
        self.keys = keys
        self.clock = clock
        self.wallClock = wallClock
    }

    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.serial }

    // MARK: There

    /// Where the person is to be sent.
    ///
    /// - Parameters:
    ///   - session: what the browser shows when it comes back; its digest.
    ///   - tag: what the caller wants to know it by at its end.
    package func begin(_ settings: OIDCSettings, redirectURI: String, session: Secret, tag: String) async throws(SignInFault) -> String {
        let provider = try await provider(of: settings.issuer)
        do {
            let signIn = try PendingSignIn(settings, at: provider, redirectURI: redirectURI, tag: tag)
            return signIn.url(state: pending.begin(signIn, session: session, now: clock()))
        } catch {
            throw .provider(error.description)
        }
    }

    private func provider(of issuer: String) async throws(SignInFault) -> ProviderMetadata {
        if let known = providers[issuer], clock() < known.until { return known.metadata }
        do throws(NoKeys) {
            let metadata = try await fetcher.provider(of: issuer)
            providers = [issuer: (metadata, clock().advanced(by: SignIns.metadataLife))]
            return metadata
        } catch {
            throw error.isLasting ? .provider(error.description) : .passing(error.description)
        }
    }

    // MARK: And back

    /// What the caller knows a sign-in by that has not come back yet.
    package func tag(of state: Secret) -> String? {
        pending.peek(state: state)?.tag
    }

    package struct Failed: Error, Sendable {
        /// Nil where it is not known which it was.
        package let tag: String?
        package let fault: SignInFault

        package init(tag: String?, fault: SignInFault) {
            self.tag = tag
            self.fault = fault
        }
    }

    /// The person is back, by an address of the provider's word.
    ///
    /// - Parameters:
    ///   - session: as at the beginning. Whoever shows a state spends it.
    ///   - settings: those in force: with another provider, or none, nobody is signed in by this one any more.
    package func finish(_ answer: AuthorizationAnswer, session: Secret, under settings: OIDCSettings?) async throws(Failed) -> (tag: String, user: UserEmail) {
        guard let state = answer.state, let signIn = pending.take(state: state, session: session, now: clock()), let settings,
            settings.issuer.utf8.elementsEqual(signIn.provider.issuer.text.utf8), settings.clientID.utf8.elementsEqual(signIn.client.identifier.utf8)
        else { throw Failed(tag: nil, fault: .unknown) }
        do throws(SignInFault) {
            return (signIn.tag, try await finish(answer, signIn))
        } catch {
            throw Failed(tag: signIn.tag, fault: error)
        }
    }

    private func finish(_ answer: AuthorizationAnswer, _ signIn: PendingSignIn) async throws(SignInFault) -> UserEmail {
        // Before anything of the answer counts, its error too.
        if let issuer = answer.issuer {
            guard issuer.utf8.elementsEqual(signIn.provider.issuer.text.utf8) else { throw .mixedUp }
        } else if signIn.provider.answersWithIssuer {
            throw .mixedUp
        }
        if let error = answer.error { throw SignInFault(error: error) }
        guard let code = answer.code, code.count > 0 else { throw .declined("it sent no code") }
        let tokens = try await tokens(for: code, signIn)
        guard let identity = tokens.identity else { throw .provider("the token endpoint of \(signIn.provider.issuer) gives no id_token") }
        var claims = try await verified(identity, signIn)
        if claims.address == nil || claims.isAddressVerified == nil, let endpoint = signIn.provider.userInfoEndpoint {
            claims = try await asked(endpoint, tokens.access, of: claims, signIn)
        }
        guard let address = claims.address, let user = UserEmail(address) else { throw .nobody }
        guard claims.isAddressVerified == true else { throw .unverified }
        return user
    }

    private func tokens(for code: Secret, _ signIn: PendingSignIn) async throws(SignInFault) -> TokenAnswer.Tokens {
        guard let endpoint = signIn.provider.tokenEndpoint else { throw .provider("\(signIn.provider.issuer) names no token endpoint") }
        let request: OutboundRequest
        do { request = try signIn.exchange(of: code).request(to: endpoint, by: signIn.client, limits: SignIns.limits) } catch { throw .provider(error.description) }
        let response = try await send(request, signIn)
        let secrets = [code, signIn.proofKey.verifier] + signIn.client.secrets
        switch TokenAnswer.read(status: response.status, body: response.body.bytes).hiding(secrets) {
        case .tokens(let tokens): return tokens
        case .refused(let refused):
            let words = "the token endpoint of \(signIn.provider.issuer): \(refused.words)"
            throw refused.kind == .passing ? .passing(words) : .provider(words)
        }
    }

    /// What the ID token says, once it is known that it is the provider's answer to this very sign-in (section 3.1.3.7).
    private func verified(_ token: Secret, _ signIn: PendingSignIn) async throws(SignInFault) -> TokenClaims {
        let issuer = signIn.provider.issuer.text
        do throws(SignedTokenFault) {
            let signed = try SignedToken(token.bytes)
            try await keys.check(signed, at: KeyPlace(issuer: issuer))
            let claims = try TokenClaims(signed.payload, address: "email")
            try claims.check(issuer: issuer, audience: signIn.client.identifier, now: wallClock())
            try claims.check(client: signIn.client.identifier, nonce: signIn.nonce)
            return claims
        } catch {
            switch error {
            case .invalid(let words), .nobody(let words): throw .provider("\(issuer): \(words)")
            case .untimely(let words): throw .clock("\(issuer): \(words)")
            case .unavailable(let words): throw .passing(words)
            case .crowded: throw .passing("too many sign in just now")
            }
        }
    }

    /// Some give the address only there (section 5.3). What it says is of the same person, or of nobody.
    private func asked(_ endpoint: ServiceURL, _ access: Secret, of claims: TokenClaims, _ signIn: PendingSignIn) async throws(SignInFault) -> TokenClaims {
        var bearer = LockedBuffer(capacity: access.count + 7)
        bearer.append("Bearer ")
        bearer.append(access.bytes)
        var request = OutboundRequest(
            .get, endpoint.text, fields: [OutboundRequest.Field("Authorization", Secret(bearer)), OutboundRequest.Field("Accept", "application/json")])
        request.limits = SignIns.limits
        request.usesProxy = endpoint.isEncrypted
        let response = try await send(request, signIn)
        guard response.status == 200 else {
            let words = "the userinfo endpoint of \(signIn.provider.issuer) answered \(response.status)"
            throw response.status >= 500 || response.status == 429 ? .passing(words) : .provider(words)
        }
        do throws(SignedTokenFault) {
            let info = try TokenClaims(response.body.bytes.copied(), address: "email")
            guard let subject = claims.subject, let other = info.subject, subject.utf8.elementsEqual(other.utf8) else {
                throw .invalid("its userinfo endpoint speaks of somebody else than its ID token (sub)")
            }
            return info
        } catch {
            throw .provider("\(signIn.provider.issuer): its userinfo endpoint does not do: \(error.words)")
        }
    }

    private func send(_ request: OutboundRequest, _ signIn: PendingSignIn) async throws(SignInFault) -> OutboundResponse {
        do throws(OutboundFault) { return try await fetcher.client(for: signIn.provider.issuer.text).send(request) } catch {
            throw .passing("\(signIn.provider.issuer): \(error)")
        }
    }
}

extension SignInFault {
    /// What the provider's redirect says (RFC 6749, section 4.1.2.1; OpenID Connect Core, section 3.1.2.6).
    fileprivate init(error: String) {
        switch error {
        case "access_denied", "consent_required", "login_required", "interaction_required", "account_selection_required": self = .declined(error)
        case "server_error", "temporarily_unavailable": self = .passing("the provider says \(error)")
        default: self = .provider("the provider refuses the request: \(error)")
        }
    }
}
