// A person's way to an OpenID provider and back, before a provider that says what the test wants.

import EventLoop
import Foundation
import Gateway
import Kernel
@testable import OAuth
import Outbound
import Synchronization
import Testing

/// A provider on https://login.example; what it answers is changed by the test.
private final class Provider: HTTPClient {
    struct State: Sendable {
        var metadata: [String: String] = [
            "authorization_endpoint": "https://login.example/authorize?tenant=a", "token_endpoint": "https://login.example/token",
            "jwks_uri": "https://login.example/keys", "userinfo_endpoint": "https://login.example/userinfo",
        ]
        var offersS256 = true
        var announcesIssuer = false
        var keys: [UInt8] = []
        var token: @Sendable (_ nonce: String) throws -> String = { _ in "" }
        var userInfo: String?
        var status = 200
        var isDown = false
        var nonce = ""
        var forms: [String] = []
        var bearers: [String] = []
        var seconds = 0
    }

    let state = Mutex(State())

    func send(_ request: OutboundRequest) async throws(OutboundFault) -> OutboundResponse {
        let (status, body) = state.withLock { state -> (Int, String) in
            guard !state.isDown else { return (503, "") }
            switch request.url {
            case "https://login.example/.well-known/oauth-authorization-server":
                let texts = state.metadata.map { "\"\($0.key)\":\"\($0.value)\"" }.joined(separator: ",")
                return (200, """
                    {"issuer":"https://login.example",\(texts),"code_challenge_methods_supported":[\(state.offersS256 ? "\"S256\"" : "")],\
                    "authorization_response_iss_parameter_supported":\(state.announcesIssuer)}
                    """)
            case "https://login.example/keys": return (200, String(decoding: state.keys, as: UTF8.self))
            case "https://login.example/token":
                state.forms.append(request.body.map { String(decoding: $0.bytes.copied(), as: UTF8.self) } ?? "")
                guard state.status == 200 else { return (state.status, "{\"error\":\"invalid_client\"}") }
                let token = (try? state.token(state.nonce)) ?? ""
                return (200, "{\"access_token\":\"the-access-token\",\"token_type\":\"Bearer\"\(token.isEmpty ? "" : ",\"id_token\":\"\(token)\"")}")
            case "https://login.example/userinfo":
                for field in request.fields { if case .secret(let value) = field.value { state.bearers.append(String(decoding: value.bytes.copied(), as: UTF8.self)) } }
                return state.userInfo.map { (200, $0) } ?? (401, "")
            default: return (404, "")
            }
        }
        return OutboundResponse(status: status, body: Secret(copying: Array(body.utf8).span.raw))
    }
}

private struct Scene {
    let provider = Provider()
    let signIns: SignIns
    let mint: Mint
    let settings: OIDCSettings

    static let session = Secret(copying: Array("a session".utf8).span.raw)

    init(secret: String? = "hunter2") async throws {
        let mint = try await Mint.es256()
        self.mint = mint
        let keys = try Mint.document([mint])
        provider.state.withLock { state in
            state.keys = keys
            state.token = { try mint.token(["aud": "claviger", "nonce": $0]) }
        }
        settings = OIDCSettings(
            issuer: "https://login.example", clientID: "claviger", clientSecret: secret.map { Secret(copying: Array($0.utf8).span.raw) })
        let provider = provider
        let clock: @Sendable () -> MonotonicTime = { MonotonicTime(nanoseconds: UInt64(provider.state.withLock { $0.seconds }) * 1_000_000_000) }
        let fetcher = KeyFetcher(
            client: provider, resolve: { (_, port) throws(ResolveFault) in [SocketAddress(numeric: "93.184.216.34", port: port)].compactMap { $0 } }, allowed: { [] })
        let loop = try EventLoop.started(name: "tokens")
        let sets = KeySets(on: loop, load: { (place) async throws(NoKeys) in try await fetcher.keys(at: place) }, clock: clock, report: { _ in })
        signIns = SignIns(
            on: loop, fetcher: fetcher, keys: sets, clock: clock, wallClock: { Int64(Mint.now) + Int64(provider.state.withLock { $0.seconds }) })
    }

    /// The query that a person is sent there with.
    func begin() async throws -> [String: String] {
        let url = try await signIns.begin(settings, redirectURI: "https://gw.example/connect/_sign-in/callback", session: Scene.session, tag: "the tag")
        #expect(url.hasPrefix("https://login.example/authorize?tenant=a&"))
        let items = URLComponents(string: url)?.queryItems ?? []
        let query = Dictionary(items.map { ($0.name, $0.value ?? "") }, uniquingKeysWith: { first, _ in first })
        provider.state.withLock { $0.nonce = query["nonce"] ?? "" }
        return query
    }

    /// Whom it ends with, or how.
    func finish(_ query: [String: String], session: Secret = Scene.session, code: String? = "the-code", issuer: String? = nil, error: String? = nil, under settings: OIDCSettings?? = nil) async -> String {
        func secret(_ text: String?) -> Secret? { text.map { Secret(copying: Array($0.utf8).span.raw) } }
        do throws(SignIns.Failed) {
            let done = try await signIns.finish(
                AuthorizationAnswer(code: secret(code), state: secret(query["state"]), issuer: issuer, error: error), session: session, under: settings ?? self.settings)
            #expect(done.tag == "the tag")
            return done.user.text
        } catch {
            return switch error.fault {
            case .unknown: "unknown"
            case .declined(let words): "declined \(words)"
            case .mixedUp: "mixed up"
            case .unverified: "unverified"
            case .nobody: "nobody"
            case .clock(let words): "clock \(words)"
            case .provider(let words): "provider \(words)"
            case .passing(let words): "passing \(words)"
            }
        }
    }

    /// The whole way, with such claims in the ID token.
    func go(_ claims: [String: String] = [:], without removed: String? = nil) async throws -> String {
        let mint = mint
        provider.state.withLock { state in
            state.token = { nonce in
                var all: [String: Any] = ["aud": "claviger", "nonce": nonce]
                for (name, value) in claims { all[name] = try JSONSerialization.jsonObject(with: Data(value.utf8), options: .fragmentsAllowed) }
                if let removed { all[removed] = NSNull() }
                return try mint.token(all)
            }
        }
        return await finish(try await begin())
    }
}

@Suite struct SignInsTests {
    @Test func `a verified address signs in, once, with PKCE, state and nonce`() async throws {
        let scene = try await Scene()
        let query = try await scene.begin()
        #expect(query["scope"] == "openid+email" && query["response_type"] == "code" && query["code_challenge_method"] == "S256" && query["client_id"] == "claviger")
        for name in ["state", "nonce", "code_challenge"] { #expect(query[name]?.utf8.count == 43) }
        #expect(await scene.finish(query) == "ana@acme.com")
        #expect(await scene.finish(query) == "unknown")
        let form = scene.provider.state.withLock { $0.forms.first ?? "" }
        #expect(form.contains("grant_type=authorization_code") && form.contains("code=the-code") && form.contains("code_verifier="))
        #expect(form.contains("redirect_uri=https%3A%2F%2Fgw.example%2Fconnect%2F_sign-in%2Fcallback"))
        #expect(try await scene.begin()["nonce"] != query["nonce"])
    }

    @Test func `another browser's session, a stranger's state, or too much time ends it`() async throws {
        let scene = try await Scene()
        let query = try await scene.begin()
        #expect(await scene.finish(query, session: Secret(copying: Array("another".utf8).span.raw)) == "unknown")
        #expect(await scene.finish(query) == "unknown")
        #expect(await scene.finish(["state": "x"]) == "unknown")
        #expect(await scene.finish([:]) == "unknown")
        let late = try await scene.begin()
        scene.provider.state.withLock { $0.seconds = 600 }
        #expect(await scene.finish(late) == "unknown")
    }

    @Test func `a provider that the configuration names no more signs in nobody`() async throws {
        let scene = try await Scene()
        for other in [nil, OIDCSettings(issuer: "https://other.example", clientID: "claviger", clientSecret: nil), OIDCSettings(issuer: "https://login.example", clientID: "b", clientSecret: nil)] {
            #expect(await scene.finish(try await scene.begin(), under: .some(other)) == "unknown")
        }
    }

    @Test func `an ID token that is not the answer to this sign-in counts for nothing`() async throws {
        let scene = try await Scene()
        for (claims, word) in [
            (["nonce": "\"other\""], "nonce"), (["aud": "\"other\""], "aud"), (["aud": "[\"claviger\",\"b\"]"], "azp"), (["azp": "\"b\""], "azp"),
            (["iss": "\"https://evil.example\""], "iss"),
        ] {
            let answer = try await scene.go(claims)
            #expect(answer.hasPrefix("provider") && answer.contains(word), "\(claims): \(answer)")
        }
        #expect(try await scene.go(without: "nonce").contains("nonce"))
        for claims in [["exp": "\(Mint.now - 100)"], ["iat": "\(Mint.now + 100)"], ["nbf": "\(Mint.now + 100)"]] { #expect(try await scene.go(claims).hasPrefix("clock")) }
        #expect(try await scene.go(["azp": "\"claviger\"", "aud": "[\"claviger\",\"b\"]"]) == "ana@acme.com")
        let thief = try await Mint.es256()
        scene.provider.state.withLock { $0.token = { try thief.token(["aud": "claviger", "nonce": $0]) } }
        #expect(await scene.finish(try await scene.begin()).contains("signature"))
        scene.provider.state.withLock { $0.token = { _ in "" } }
        #expect(await scene.finish(try await scene.begin()).contains("id_token"))
    }

    @Test func `the address is verified by the provider's own word, in the ID token or where it is asked for more`() async throws {
        let scene = try await Scene()
        #expect(try await scene.go(["email_verified": "false"]) == "unverified")
        #expect(try await scene.go(["email_verified": "\"true\""]) == "ana@acme.com")
        #expect(try await scene.go(["email": "\"a@b@c\""]) == "nobody")
        func info(_ text: String?) { scene.provider.state.withLock { $0.userInfo = text } }
        info("{\"sub\":\"1\",\"email\":\"bob@acme.com\",\"email_verified\":true}")
        #expect(try await scene.go(without: "email") == "bob@acme.com")
        #expect(scene.provider.state.withLock { $0.bearers } == ["Bearer the-access-token"])
        info("{\"sub\":\"2\",\"email\":\"bob@acme.com\",\"email_verified\":true}")
        #expect(try await scene.go(without: "email").contains("sub"))
        info("{\"sub\":\"1\",\"email\":\"bob@acme.com\"}")
        #expect(try await scene.go(without: "email") == "unverified")
        info("{\"sub\":\"1\"}")
        #expect(try await scene.go(without: "email") == "nobody")
        info(nil)
        #expect(try await scene.go(without: "email").hasPrefix("provider"))
        scene.provider.state.withLock { $0.metadata["userinfo_endpoint"] = nil }
        scene.provider.state.withLock { $0.seconds = 300 }
        #expect(try await scene.go(without: "email") == "nobody")
    }

    @Test func `the answer's issuer is the one that was asked, where it comes or was promised`() async throws {
        let scene = try await Scene()
        #expect(await scene.finish(try await scene.begin(), issuer: "https://login.example") == "ana@acme.com")
        #expect(await scene.finish(try await scene.begin(), issuer: "https://login.example/") == "mixed up")
        scene.provider.state.withLock { state in
            state.announcesIssuer = true
            state.seconds = 300
        }
        #expect(await scene.finish(try await scene.begin()) == "mixed up")
        #expect(await scene.finish(try await scene.begin(), issuer: "https://evil.example", error: "access_denied") == "mixed up")
    }

    @Test func `a no, a refusal and an outage are told apart`() async throws {
        let scene = try await Scene()
        #expect(await scene.finish(try await scene.begin(), error: "access_denied") == "declined access_denied")
        #expect(await scene.finish(try await scene.begin(), error: "temporarily_unavailable").hasPrefix("passing"))
        #expect(await scene.finish(try await scene.begin(), error: "invalid_scope").hasPrefix("provider"))
        #expect(await scene.finish(try await scene.begin(), code: nil).hasPrefix("declined"))
        scene.provider.state.withLock { $0.status = 401 }
        let refused = await scene.finish(try await scene.begin())
        #expect(refused.hasPrefix("provider") && refused.contains("invalid_client") && !refused.contains("hunter2"))
        let query = try await scene.begin()
        scene.provider.state.withLock { $0.isDown = true }
        #expect(await scene.finish(query).hasPrefix("passing"))
        scene.provider.state.withLock { $0.seconds = 300 }
        await #expect(throws: SignInFault.self) { try await scene.begin() }
    }

    @Test func `without a secret the provider has to offer PKCE`() async throws {
        let open = try await Scene(secret: nil)
        #expect(await open.finish(try await open.begin()) == "ana@acme.com")
        #expect(open.provider.state.withLock { $0.forms.first ?? "" }.contains("client_id=claviger"))
        let without = try await Scene(secret: nil)
        without.provider.state.withLock { $0.offersS256 = false }
        await #expect(throws: SignInFault.self) { try await without.begin() }
        let confidential = try await Scene()
        confidential.provider.state.withLock { $0.offersS256 = false }
        #expect(await confidential.finish(try await confidential.begin()) == "ana@acme.com")
    }

    @Test func `one browser has ten on the way at most, and the oldest goes first`() async throws {
        let scene = try await Scene()
        var queries: [[String: String]] = []
        for number in 0..<11 {
            scene.provider.state.withLock { $0.seconds = number }
            queries.append(try await scene.begin())
        }
        #expect(await scene.finish(queries[0]) == "unknown")
        scene.provider.state.withLock { $0.nonce = queries[1]["nonce"] ?? "" }
        #expect(await scene.finish(queries[1]) == "ana@acme.com")
    }
}
