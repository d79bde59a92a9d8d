// What signed tokens are verified with, put together: the issuers' keys, and whom tokens name, who signs in by one.

internal import EventLoop
internal import Gateway
internal import Kernel
internal import Logging
internal import OAuth
internal import Outbound
internal import Proxy

struct OpenedTokens: Sendable {
    let fetcher: KeyFetcher
    let keys: KeySets
    let users: UserTokens
    let signIns: SignIns

    /// Nothing is asked before a token needs it. Issuers are found by what the configuration in force says of the token at hand.
    ///
    /// - Parameters:
    ///   - allowed: `gateway.outbound.allow` of the configuration in force.
    ///   - line: writes one line of the log.
    init(
        client: any HTTPClient, resolver: Resolver, allowed: @escaping @Sendable () -> [IPNetwork], line: @escaping @Sendable (Logger.Level, String) -> Void
    ) throws {
        let loop = try EventLoop.started(name: "tokens")
        let fetcher = KeyFetcher(client: client, resolve: OpenedTokens.resolve(by: resolver), allowed: allowed)
        self.fetcher = fetcher
        keys = KeySets(
            on: loop, load: { (place) async throws(NoKeys) in try await fetcher.keys(at: place) }, clock: { .now() }, report: { line(.warning, $0) })
        signIns = SignIns(on: loop, fetcher: fetcher, keys: keys, clock: { .now() }, wallClock: { WallClock.milliseconds() / 1000 })
        users = UserTokens(on: loop, keys: keys, clock: { .now() }, wallClock: { WallClock.milliseconds() / 1000 })
    }

    static func resolve(by resolver: Resolver) -> DocumentFetcher.Resolve {
        { host, port async throws(ResolveFault) in try await resolver.addresses(of: host, port: port, until: .now().advanced(by: .seconds(5))) }
    }
}

/// What the workers need of it.
struct UserTokenDesk: TokenDesk {
    let tokens: UserTokens

    func user(of token: Secret, by rule: UserTokenRule) async throws(Refusal) -> VouchedUser {
        do throws(SignedTokenFault) { return try await tokens.user(of: token, by: rule) } catch {
            switch error {
            case .invalid, .untimely: throw Refusal(.unauthenticated, error.words)
            case .nobody: throw Refusal(.badEmail, error.words)
            case .unavailable: throw Refusal(.storeUnavailable, error.words, retryAfter: .seconds(5))
            case .crowded: throw Refusal(.overloaded, error.words, retryAfter: .seconds(1))
            }
        }
    }
}
