// What is said of a server and its issuer, and what of it keeps tokens from being had.

import Gateway
import Kernel
@testable import OAuth
import Outbound
import Synchronization
import Testing

@Suite struct SurveyTests {
    private func subject(_ settings: OAuthSettings = OAuthSettings(), portal: String = "https://connect.example") throws -> Survey.Subject {
        Survey.Subject(name: "crm", url: try ServiceURL("https://mcp.example/mcp"), settings: settings, portal: portal)
    }

    private func found(_ members: String, scopes: [String]? = ["read", "write"]) throws -> Result<Discovery.Found, Discovery.Fault> {
        let document = Array("{\"issuer\":\"https://login.example/\"\(members)}".utf8)
        let provider = try ProviderMetadata(document, of: try ServiceURL("https://login.example/"))
        return .success(Discovery.Found(provider: provider, resource: "https://mcp.example/", scopes: scopes))
    }

    private let secret = Secret(copying: Array("hunter2".utf8).span.raw)
    private static let whole = """
        ,"authorization_endpoint":"https://login.example/a","token_endpoint":"https://login.example/t","revocation_endpoint":"https://login.example/r",\
        "registration_endpoint":"https://login.example/reg","code_challenge_methods_supported":["plain","S256"],"scopes_supported":["read","offline_access"],\
        "authorization_response_iss_parameter_supported":true
        """
    private static let challenged = Survey.Answer.answered(
        status: 401, Challenge.read(["Bearer resource_metadata=\"https://mcp.example/m\", scope=\"read write\""]))

    @Test func `everything that is discovered is said, and nothing is missing`() throws {
        let survey = Survey(of: try subject(), answer: Self.challenged, found: try found(Self.whole))
        #expect(
            survey.lines == [
                "challenge: Bearer, metadata at https://mcp.example/m, scopes read write", "issuer: https://login.example/, as the server names it",
                "authorization endpoint: https://login.example/a", "PKCE: S256", "issuer in answers: announced, and demanded",
                "token endpoint: https://login.example/t", "revocation endpoint: https://login.example/r",
                "client: is registered at https://login.example/reg when the first person connects",
                "redirect URI: https://connect.example/connect/callback/crm",
                "scopes: read write, as the server names them; offline_access is offered, and asked for", "resource: https://mcp.example/",
            ])
        #expect(survey.missing.isEmpty)
    }

    @Test func `what is missing is said with its remedy`() throws {
        let survey = Survey(of: try subject(), answer: Self.challenged, found: try found(""))
        #expect(
            survey.missing == [
                "https://login.example/ names no authorization endpoint; set `oauth.authorization_endpoint`",
                "https://login.example/ does not say that it takes PKCE with S256; where you know that it may be used without, set `oauth.require_pkce: false`",
                "https://login.example/ names no token endpoint; set `oauth.token_endpoint`",
                "https://login.example/ registers no clients and reads no client metadata; register one there with the redirect URI https://connect.example/connect/callback/crm, and set `oauth.client_id`",
            ])
        let settings = OAuthSettings(
            issuer: "https://login.example/", authorizationEndpoint: "https://login.example/x", tokenEndpoint: nil, revocation: .none, clientID: "me", scopes: [], resource: .none,
            requiresProofKey: false)
        let mended = Survey(of: try subject(settings), answer: Self.challenged, found: try found(",\"token_endpoint\":\"https://login.example/t\""))
        #expect(mended.missing.isEmpty)
        #expect(
            mended.lines.dropFirst() == [
                "issuer: https://login.example/, as configured", "authorization endpoint: https://login.example/x, as configured",
                "PKCE: S256 is sent, and not offered; `require_pkce: false` goes there nevertheless", "issuer in answers: not announced",
                "token endpoint: https://login.example/t", "revocation endpoint: none, as configured; a grant that is disconnected is deleted here only",
                "client: `me`, without a proof of its own; the issuer lists client_secret_basic only", "redirect URI: https://connect.example/connect/callback/crm",
                "scopes: none by name", "resource: not sent, as configured",
            ])
    }

    @Test func `the client's document is named where the issuer reads one and can`() throws {
        let reads = Self.whole + ",\"client_id_metadata_document_supported\":true"
        let survey = Survey(of: try subject(), answer: Self.challenged, found: try found(reads))
        #expect(survey.lines.contains("client: the metadata document https://connect.example/.well-known/oauth-client/crm.json, which the issuer must be able to read"))
        let plain = Survey(of: try subject(portal: "http://127.0.0.1:8080"), answer: Self.challenged, found: try found(reads))
        #expect(plain.lines.contains("client: a metadata document would do as well, with a `portal.public_url` of https"))
    }

    @Test func `a secret that the issuer takes in no way is missing a way`() throws {
        let members = Self.whole + ",\"token_endpoint_auth_methods_supported\":[\"private_key_jwt\"]"
        let survey = Survey(of: try subject(OAuthSettings(clientID: "me", clientSecret: secret)), answer: Self.challenged, found: try found(members))
        #expect(survey.missing == ["https://login.example/ takes no client secret, but one of private_key_jwt; set `oauth.authentication`"])
        #expect(survey.lines.contains("client: `me`, with its secret"))
        let posted = OAuthSettings(clientID: "me", clientSecret: secret, authentication: .post)
        #expect(
            Survey(of: try subject(posted), answer: Self.challenged, found: try found(members)).lines
                .contains("client: `me`, with its secret, by post; the issuer lists private_key_jwt only"))
        for line in survey.lines + survey.missing { #expect(!line.contains("hunter2")) }
    }

    @Test func `what is written out is not looked up`() throws {
        let people = OAuthSettings(authorizationEndpoint: "https://l.example/a", tokenEndpoint: "https://l.example/t", clientID: "me", scopes: ["a"])
        #expect(try subject(people).isWrittenOut)
        let survey = Survey(of: try subject(people), answer: .answered(status: 200, []), found: nil)
        #expect(
            survey.lines == [
                "challenge: none; the server answered 200 without a token: does it need one?", "issuer: not named; no document is read, the endpoints are configured",
                "authorization endpoint: https://l.example/a", "token endpoint: https://l.example/t", "revocation endpoint: none; a grant that is disconnected is deleted here only",
                "PKCE: S256 is sent, and taken for offered", "client: `me`, without a proof of its own", "redirect URI: https://connect.example/connect/callback/crm",
                "scopes: a, configured", "resource: https://mcp.example/mcp",
            ])
        let machine = OAuthSettings(grant: .clientCredentials, tokenEndpoint: "https://l.example/t", clientID: "me", clientSecret: secret, resource: .uri("urn:x"))
        #expect(try subject(machine).isWrittenOut)
        let own = Survey(of: try subject(machine), answer: .unanswered("mcp.example: nobody answers"), found: nil)
        #expect(
            own.lines == [
                "challenge: the server cannot be asked: mcp.example: nobody answers", "issuer: not named; no document is read, the endpoints are configured",
                "token endpoint: https://l.example/t", "revocation endpoint: none; a grant that is disconnected is deleted here only", "client: `me`, with its secret",
                "scopes: none by name", "resource: urn:x, as configured",
            ])
        #expect(own.missing.isEmpty)
        #expect(try !subject(OAuthSettings(tokenEndpoint: "https://l.example/t")).isWrittenOut)
    }

    @Test func `a grant that the issuer does not list is said`() throws {
        let members = Self.whole + ",\"grant_types_supported\":[\"authorization_code\"]"
        let exchange = OAuthSettings(grant: .tokenExchange, issuer: "https://login.example/", clientID: "me", exchange: .init())
        let survey = Survey(of: try subject(exchange), answer: Self.challenged, found: try found(members))
        #expect(survey.lines.contains("grant: `urn:ietf:params:oauth:grant-type:token-exchange` is not among those that the issuer lists: authorization_code"))
        #expect(survey.lines.contains("scopes: none by name; offline_access is offered, and asked for"))
        #expect(!Survey(of: try subject(), answer: Self.challenged, found: try found(members)).lines.contains { $0.hasPrefix("grant:") })
    }

    @Test func `nothing found is said place by place, and a failure that passes as one`() throws {
        let nobody = Survey(of: try subject(), answer: .answered(status: 401, Challenge.read(["Basic realm=x"])), found: .failure(.unusable(["https://a is not there", "b\u{1b}[31m"])))
        #expect(nobody.lines == ["challenge: 401 without one for a bearer token, but for basic", "not usable: https://a is not there", "not usable: b?[31m"])
        #expect(nobody.missing == ["nobody is found who gives tokens for https://mcp.example/mcp; set `oauth.issuer`, or both `oauth.authorization_endpoint` and `oauth.token_endpoint`"])
        let named = OAuthSettings(grant: .clientCredentials, issuer: "https://login.example")
        let wrong = Survey(of: try subject(named), answer: Self.challenged, found: .failure(.unusable([])))
        #expect(
            wrong.missing == [
                "nothing that can be used is at the issuer https://login.example; see that `oauth.issuer` is right to the byte, a final slash counts, or set `oauth.token_endpoint`"
            ])
        let down = Survey(of: try subject(), answer: .answered(status: 503, []), found: .failure(.passing("https://a: answered 503")))
        #expect(down.lines == ["challenge: none; the server answered 503"])
        #expect(down.missing == ["https://a: answered 503; it cannot be asked now: try again, or see whether this machine may reach it"])
    }

    // MARK: Asking

    private struct Web: HTTPClient {
        let asked = Asked()

        func send(_ request: OutboundRequest) async throws(OutboundFault) -> OutboundResponse {
            asked.requests.withLock { $0.append(request) }
            let (status, fields, body): (Int, [(name: String, value: String)], String) =
                switch request.url {
                case "https://mcp.example/mcp", "https://crm.internal/mcp": (401, [("www-authenticate", "Bearer resource_metadata=\"https://mcp.example/m\"")], "")
                case "https://mcp.example/m", "https://crm.internal/m": (200, [], "{\"resource\":\"https://mcp.example/mcp\",\"authorization_servers\":[\"https://login.example/\"]}")
                case "https://login.example/.well-known/oauth-authorization-server": (200, [], "{\"issuer\":\"https://login.example/\",\"token_endpoint\":\"https://login.example/t\"}")
                default: (404, [], "")
                }
            return OutboundResponse(status: status, fields: fields, body: Secret(copying: Array(body.utf8).span.raw))
        }
    }

    private final class Asked: Sendable {
        let requests = Mutex<[OutboundRequest]>([])
    }

    @Test func `the server is met as calls meet it, and whoever gives its tokens is shown nothing`() async throws {
        let web = Web()
        let shelf = DocumentShelf(clock: { MonotonicTime(nanoseconds: 1) })
        let fetcher = DocumentFetcher(client: web, resolve: { (_, port) in [.v4([93, 184, 216, 34], port: port)] }, rule: AddressRule(allowed: []), shelf: shelf)
        let surveyor = Surveyor(Discovery(fetcher), client: web)
        let tls = UpstreamTLS(authorities: "/ca.pem", serverName: "crm.internal", certificate: CertificateFiles(certificate: "/c.pem", privateKey: "/k.pem"))
        #expect(await surveyor.survey(try subject(), tls: tls).lines.contains("issuer: https://login.example/, as the server names it"))
        let asked = web.asked.requests.withLock { $0 }
        let server = asked.filter { $0.url.hasPrefix("https://crm.internal/") }
        #expect(server.map(\.url) == ["https://crm.internal/mcp", "https://crm.internal/m"])
        for request in server {
            #expect(request.authorities == "/ca.pem" && request.certificate == tls.certificate)
            #expect(request.place?.name == "crm.internal" && request.place?.host == "mcp.example" && request.place?.port == 443)
            guard case .text("mcp.example")? = request.fields.first(where: { $0.name == "Host" })?.value else { Issue.record("another Host"); return }
        }
        let others = asked.filter { !$0.url.hasPrefix("https://crm.internal/") }
        #expect(!others.isEmpty)
        for request in others {
            #expect(request.url.hasPrefix("https://login.example/"))
            #expect(request.authorities == nil && request.certificate == nil && request.place == nil)
        }
        // Under another trust nothing of it is at hand.
        let before = asked.count
        _ = await surveyor.survey(try subject(), tls: UpstreamTLS())
        #expect(web.asked.requests.withLock { $0.dropFirst(before).map(\.url) } == ["https://mcp.example/mcp", "https://mcp.example/m"])
    }

    @Test func `a server is asked as connecting would, without a token`() async throws {
        let fetcher = DocumentFetcher(client: Web(), resolve: { (_, port) in [.v4([93, 184, 216, 34], port: port)] }, rule: AddressRule(allowed: []))
        let surveyor = Surveyor(Discovery(fetcher), client: Web())
        let machine = OAuthSettings(grant: .clientCredentials, clientID: "me", clientSecret: secret)
        let survey = await surveyor.survey(try subject(machine))
        #expect(
            survey.lines == [
                "challenge: Bearer, metadata at https://mcp.example/m", "issuer: https://login.example/, as the server names it", "token endpoint: https://login.example/t",
                "revocation endpoint: none; a grant that is disconnected is deleted here only", "client: `me`, with its secret", "scopes: none by name",
                "resource: https://mcp.example/mcp",
            ])
        #expect(survey.missing.isEmpty)
    }
}
