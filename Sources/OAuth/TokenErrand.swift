// One way to the token endpoint, for the keeper: with a refresh token, on the client's own word, or with another grant's token.

internal import Gateway
internal import Kernel
internal import Outbound

struct TokenErrand {
    let record: GrantRecord
    let plan: TokenPlan
    let keeper: GrantKeeper

    enum Outcome: Sendable {
        case answered(TokenAnswer)
        /// - mayRepeat: whether the same may be sent again at once.
        case unanswered(String, mayRepeat: Bool)
        /// The grant whose token was to be exchanged is over; nil: is not there.
        case subjectEnded(String?)
    }

    init(_ record: GrantRecord, _ plan: TokenPlan, keeper: GrantKeeper) {
        self.record = record
        self.plan = plan
        self.keeper = keeper
    }

    /// A client of ours that the provider has forgotten is registered anew, once. A subject's token that it does not take is had anew, once.
    func run() async -> Outcome {
        let kept = record.isKept ? record : nil
        do throws(NoTerms) {
            var terms = try await keeper.terms.terms(for: plan.server, kept)
            var outcome = await ask(terms)
            if terms.isRegistered, outcome.isRefused(.invalidClient) {
                terms = try await keeper.terms.renewed(terms.client, for: plan.server, kept)
                outcome = await ask(terms)
            }
            return outcome
        } catch {
            return .unanswered(error.description, mayRepeat: false)
        }
    }

    private func ask(_ terms: GrantTerms) async -> Outcome {
        let limits = OutboundRequest.Limits(time: .seconds(8))
        do throws(NotUsable) {
            switch (plan.way, record.key) {
            case (.grant, .refreshToken(let token)):
                var form = TokenForm(grant: "refresh_token")
                form.add("refresh_token", token)
                if let resource = record.resource { form.add("resource", resource) }
                let request = try form.request(to: terms.tokenEndpoint, by: terms.client, limits: limits)
                return await send(request, showing: [token] + terms.client.secrets) { TokenAnswer.read(status: $0, body: $1) }
            case (.clientCredentials, _):
                let asked = ClientCredentials(scopes: plan.server.settings.scopes ?? [], resource: terms.resource)
                let request = try asked.request(to: terms.tokenEndpoint, by: terms.client, limits: limits)
                return await send(request, showing: terms.client.secrets) { TokenAnswer.read(status: $0, body: $1) }
            case (.exchange(let subject), _):
                return try await exchange(subject, terms, limits)
            case (.grant, .accessToken), (.grant, .asking):
                return .unanswered("there is nothing to ask with", mayRepeat: false)
            }
        } catch {
            return .unanswered(error.description, mayRepeat: false)
        }
    }

    /// - Parameter secrets: what is in the request, and may be in no words about its answer.
    private func send(_ request: OutboundRequest, showing secrets: [Secret], _ read: (Int, RawSpan) -> TokenAnswer) async -> Outcome {
        do throws(OutboundFault) {
            let response = try await keeper.client.send(request)
            return .answered(read(response.status, response.body.bytes).hiding(secrets))
        } catch {
            return .unanswered(error.description, mayRepeat: error.retry != .pointless && error.kind != .cancelled)
        }
    }

    /// A subject that is refused may be one that the provider has ended before its time: it is had anew, and shown once more.
    private func exchange(_ subject: Reference, _ terms: GrantTerms, _ limits: OutboundRequest.Limits) async throws(NotUsable) -> Outcome {
        let settings = plan.server.settings
        let exchange = try TokenExchange(settings.exchange ?? OAuthSettings.Exchange(), scopes: settings.scopes ?? [], resource: terms.resource)
        var outcome = Outcome.subjectEnded(nil)
        for isLast in [false, true] {
            let shown: (token: Secret, number: Int?)
            do throws(GrantFault) {
                shown = try await present(subject, as: exchange.subject)
            } catch {
                switch error {
                case .missing: return .subjectEnded(nil)
                case .disconnected(let why): return .subjectEnded(why)
                case .unavailable(let why, _): return .unanswered(why, mayRepeat: false)
                }
            }
            let request = try exchange.request(for: shown.token, to: terms.tokenEndpoint, by: terms.client, limits: limits)
            outcome = await send(request, showing: [shown.token] + terms.client.secrets) { exchange.answer(status: $0, body: $1) }
            guard !isLast, let number = shown.number, outcome.isRefused(.invalidGrant) || outcome.isRefused(.invalidRequest) else { break }
            await keeper.rejected(number, of: subject)
        }
        return outcome
    }

    /// What of the person's grant is exchanged.
    private func present(_ subject: Reference, as kind: TokenExchange.Subject) async throws(GrantFault) -> (token: Secret, number: Int?) {
        let grant = TokenPlan(plan.server, .grant)
        switch kind {
        case .refreshToken: return (try await keeper.refreshToken(of: subject, by: grant), nil)
        case .accessToken:
            let access = try await keeper.token(of: subject, by: grant)
            return (access.value, access.number)
        case .identityToken:
            let access = try await keeper.token(of: subject, by: grant)
            guard let identity = access.identity else { throw .unavailable("the provider gives no id_token", retryAfter: .seconds(30)) }
            return (identity, access.number)
        }
    }
}

extension TokenErrand.Outcome {
    fileprivate func isRefused(_ kind: TokenAnswer.Refused.Kind) -> Bool {
        if case .answered(.refused(let refused)) = self { refused.kind == kind } else { false }
    }
}
