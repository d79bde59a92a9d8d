// What a listener shows, takes and refuses, told by a client of OpenSSL's own.

internal import COpenSSL
internal import Kernel
internal import TLS
import Testing

@Suite struct ServerContextTests {
    let authority: Identity

    init() throws {
        authority = try Identity(name: "Test Authority")
    }

    // MARK: Names

    @Test(arguments: [
        (nil, "first"), ("crm.example.com", "exact"), ("CRM.Example.COM", "exact"), ("docs.example.com", "wild"), ("a.docs.example.com", "first"),
        ("example.com", "first"), ("elsewhere.test", "first"), (".example.com", "wild"),
    ] as [(String?, String)])
    func `the certificate is chosen by name, then wildcard, then order`(name: String?, expected: String) throws {
        let first = try Identity(name: "first", names: "DNS:gateway.test", issuer: authority).keyed()
        let wild = try Identity(name: "wild", names: "DNS:*.example.com", issuer: authority).keyed()
        let exact = try Identity(name: "exact", names: "DNS:other.test,DNS:CRM.example.com", issuer: authority).keyed()
        let context = try ServerContext([first, wild, exact])
        for version in [TLS1_2_VERSION, TLS1_3_VERSION] {
            let pair = try AgentPair(context, Agent(serverName: name, versions: version...version))
            #expect(pair.handshake() == .done)
            #expect(pair.shown == expected)
        }
    }

    @Test func `of two kinds of key under one name a client gets the one it can verify`() throws {
        let curve = try Identity(name: "curve", names: "DNS:crm.example.com", issuer: authority).keyed()
        let rsa = try Identity(name: "rsa", names: "DNS:crm.example.com", issuer: authority, rsa: 2048).keyed()
        let context = try ServerContext([curve, rsa])
        let any = try AgentPair(context, Agent(serverName: "crm.example.com"))
        #expect(any.handshake() == .done)
        #expect(any.shown == "curve")
        // Its authority signs with ECDSA, so a client of 1.2 says what its key may be by the cipher, one of 1.3 by the signature.
        let old = try AgentPair(context, Agent(serverName: "crm.example.com", versions: TLS1_2_VERSION...TLS1_2_VERSION, ciphers: "ECDHE-RSA-AES128-GCM-SHA256"))
        #expect(old.handshake() == .done)
        #expect(old.shown == "rsa")
    }

    // MARK: Versions, ciphers, protocols

    @Test(arguments: [TLS1_VERSION, TLS1_1_VERSION]) func `nothing older than TLS 1_2`(version: Int32) throws {
        let pair = try AgentPair(context(), Agent(versions: version...version))
        let fault = pair.fault()
        #expect(fault?.cause == .noCommonGround)
        #expect(fault?.words == "the client offers no TLS version from 1.2 on")
        #expect(pair.alert == "tlsv1 alert protocol version")
    }

    @Test(arguments: ["AES128-SHA", "ECDHE-ECDSA-AES128-SHA", "AES128-GCM-SHA256", "DHE-RSA-AES128-GCM-SHA256"])
    func `no cipher without forward secrecy and authenticated encryption`(cipher: String) throws {
        let pair = try AgentPair(context(), Agent(versions: TLS1_2_VERSION...TLS1_2_VERSION, ciphers: cipher))
        #expect(pair.fault()?.cause == .noCommonGround)
    }

    @Test(arguments: ["X25519", "P-256", "P-384"]) func `each of the three groups will do`(group: String) throws {
        #expect(try AgentPair(context(), Agent(groups: group)).handshake() == .done)
    }

    @Test func `no other group does`() throws {
        #expect(try AgentPair(context(), Agent(groups: "P-521")).fault()?.cause == .noCommonGround)
    }

    @Test(arguments: [["http/1.1"], ["h2", "http/1.1"], []]) func `http 1_1 is spoken with who offers it or says nothing`(offers: [String]) throws {
        let pair = try AgentPair(context(), Agent(protocols: offers))
        #expect(pair.handshake() == .done)
        #expect(pair.agreedProtocol == (offers.isEmpty ? "" : "http/1.1"))
    }

    @Test func `who offers only others is told so`() throws {
        let pair = try AgentPair(context(), Agent(protocols: ["h2", "http/1.0"]))
        #expect(pair.fault()?.words == "the client does not offer http/1.1 (ALPN)")
        #expect(pair.alert == "tlsv1 alert no application protocol")
    }

    @Test func `a client may not negotiate anew`() throws {
        let pair = try AgentPair(context(), Agent(versions: TLS1_2_VERSION...TLS1_2_VERSION))
        #expect(pair.handshake() == .done)
        try unsafe #require(SSL_renegotiate(pair.client) == 1)
        unsafe SSL_do_handshake(pair.client)
        pair.server.isSocketReadable = true
        // OpenSSL answers with a warning that there will be none, and goes on.
        #expect(pair.serverReads().0 == .wantsRead)
        ERR_clear_error()
        #expect(unsafe SSL_do_handshake(pair.client) != 1)
        #expect(ERR_GET_REASON(ERR_peek_error()) == SSL_R_NO_RENEGOTIATION)
        ERR_clear_error()
    }

    // MARK: Client certificates

    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION]) func `a client's certificate is required where it is`(version: Int32) throws {
        let context = try context { .required(authorities: $0) }
        var agent = Agent(versions: version...version)
        let without = try AgentPair(context, agent)
        #expect(without.fault()?.words == "the client showed no certificate, which is required here")
        agent.certificate = try Identity(name: "agent", issuer: authority)
        #expect(try AgentPair(context, agent).handshake() == .done)
    }

    @Test func `another authority's certificate is refused, required or not`() throws {
        let stranger = try Identity(name: "Stranger")
        let agent = try Agent(certificate: Identity(name: "agent", issuer: stranger))
        let contexts = try [context { .required(authorities: $0) }, context { .optional(authorities: $0) }]
        for context in contexts {
            let fault = try AgentPair(context, agent).fault()
            #expect(fault?.cause == .unknownAuthority)
            #expect(fault?.words == "the certificate is of an unknown authority (/CN=Stranger)")
        }
    }

    @Test func `an expired one is refused`() throws {
        let agent = try Agent(certificate: Identity(name: "agent", days: -20 ... -10, issuer: authority))
        #expect(try AgentPair(context { .required(authorities: $0) }, agent).fault()?.cause == .expired)
    }

    @Test func `who has none is let in where it is optional, and never asked where it is not wanted`() throws {
        #expect(try AgentPair(context { .optional(authorities: $0) }).handshake() == .done)
        let stranger = try Agent(certificate: Identity(name: "agent", issuer: Identity(name: "Stranger")))
        #expect(try AgentPair(context(), stranger).handshake() == .done)
    }

    // MARK: Resumption

    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION]) func `a session is resumed`(version: Int32) throws {
        let agent = Agent(serverName: "crm.example.com", versions: version...version)
        let context = try context()
        let first = try AgentPair(context, agent)
        #expect(first.handshake() == .done)
        #expect(!first.server.isResumed)
        let second = try AgentPair(context, agent, resuming: first)
        #expect(second.handshake() == .done)
        #expect(second.server.isResumed && second.clientResumed)
    }

    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION]) func `so is one of a client with a certificate`(version: Int32) throws {
        let agent = try Agent(versions: version...version, certificate: Identity(name: "agent", issuer: authority))
        let context = try context { .required(authorities: $0) }
        let first = try AgentPair(context, agent)
        #expect(first.handshake() == .done)
        let second = try AgentPair(context, agent, resuming: first)
        #expect(second.handshake() == .done)
        #expect(second.server.isResumed)
    }

    @Test func `another context takes nobody's sessions`() throws {
        let first = try AgentPair(context())
        #expect(first.handshake() == .done)
        let second = try AgentPair(context(), resuming: first)
        #expect(second.handshake() == .done)
        #expect(!second.server.isResumed)
    }

    // MARK: What is no handshake

    @Test func `plain HTTP is known for what it is`() throws {
        let pair = try AgentPair(context())
        pair.giveRaw("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n".utf8)
        pair.server.isSocketReadable = true
        guard case .failed(let fault) = pair.server.handshake() else { Issue.record("taken"); return }
        #expect(fault.cause == .plainHTTP)
    }

    @Test func `other bytes are no TLS`() throws {
        let pair = try AgentPair(context())
        pair.giveRaw("SSH-2.0-OpenSSH_9.6\r\n".utf8)
        pair.server.isSocketReadable = true
        guard case .failed(let fault) = pair.server.handshake() else { Issue.record("taken"); return }
        #expect(fault.cause == .notTLS)
    }

    @Test func `who leaves in between is said to have left`() throws {
        let pair = try AgentPair(context())
        pair.cut()
        pair.server.isSocketReadable = true
        guard case .failed(let fault) = pair.server.handshake() else { Issue.record("taken"); return }
        #expect(fault.cause == .cut)
        #expect(fault.words == "the client closed the connection during the handshake")
    }

    @Test func `a request that comes with the end of the handshake is not lost`() throws {
        let pair = try AgentPair(context(), Agent(versions: TLS1_3_VERSION...TLS1_3_VERSION))
        unsafe SSL_do_handshake(pair.client)
        pair.server.isSocketReadable = true
        #expect(pair.server.handshake() == .wantsRead)
        unsafe SSL_do_handshake(pair.client)
        #expect(pair.clientWrites([7, 8, 9]) == 3)
        pair.server.isSocketReadable = true
        #expect(pair.server.handshake() == .done)
        #expect(pair.server.hasBufferedBytes)
        pair.server.isSocketReadable = false
        #expect(pair.serverReads().1 == [7, 8, 9])
    }

    private func context(_ clients: (String) -> ServerContext.ClientCertificates = { _ in .ignored }) throws -> ServerContext {
        let certificate = try Identity(name: "x", names: "DNS:crm.example.com", issuer: authority).keyed()
        return try TemporaryFile.with(authority.pem()) { path in try ServerContext([certificate], clients: clients(path)) }
    }
}
