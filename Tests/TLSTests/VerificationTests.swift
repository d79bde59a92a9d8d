// Whom a client session takes for the server it wants, and what it says of others.

internal import COpenSSL
internal import Kernel
internal import TLS
import Testing

@Suite struct VerificationTests {
    let authority: Identity
    let trusting: ClientContext

    init() throws {
        authority = try Identity(name: "Test Authority")
        trusting = try TemporaryFile.with(authority.pem()) { path in try ClientContext(authorities: path) }
    }

    @Test func `a certificate of a trusted authority for the name is good`() throws {
        let pair = try pair("crm.example.com", names: "DNS:other.example,DNS:crm.example.com")
        #expect(pair.handshake() == .done)
        #expect(pair.requestedName == "crm.example.com")
        #expect(pair.client.version == "TLSv1.3")
    }

    @Test func `a wildcard stands for one whole label`() throws {
        #expect(try pair("crm.example.com", names: "DNS:*.example.com").handshake() == .done)
        #expect(try cause("a.crm.example.com", names: "DNS:*.example.com") == .wrongName)
        #expect(try cause("crm.example.com", names: "DNS:c*.example.com") == .wrongName)
    }

    @Test func `the final dot of a name is not the certificate's`() throws {
        let pair = try pair("crm.example.com.", names: "DNS:crm.example.com")
        #expect(pair.handshake() == .done)
        #expect(pair.requestedName == "crm.example.com")
    }

    @Test func `an address is verified as an address and not sent as a name`() throws {
        let pair = try pair("127.0.0.1", names: "IP:127.0.0.1")
        #expect(pair.handshake() == .done)
        #expect(pair.requestedName == nil)
        #expect(try self.pair("::1", names: "IP:::1").handshake() == .done)
        #expect(try cause("127.0.0.1", names: "IP:127.0.0.2,DNS:127.0.0.1") == .wrongName)
    }

    @Test func `a certificate for other names says which`() throws {
        let fault = try fault("crm.example.com", names: "DNS:a.example,DNS:b.example,IP:10.0.0.1")
        #expect(fault?.cause == .wrongName)
        #expect(fault?.words == "the certificate is for other names (a.example, b.example, 10.0.0.1), not for crm.example.com")
        #expect(fault?.isBeforeRequest == true)
        #expect(fault?.isVerification == true)
    }

    @Test func `names that do not end are not all repeated, nor anything that could forge a line`() throws {
        let names = (0..<9).map { "DNS:n\($0).example" }.joined(separator: ",")
        let fault = try fault("crm.example.com", names: names)
        #expect(fault?.words.contains("n4.example, and more") == true)
        #expect(fault?.words.contains("n5.example") == false)
        #expect(try self.fault("crm.example.com", names: "DNS:a\nERROR b")?.words.contains("a?ERROR?b") == true)
    }

    @Test func `a common name is no name`() throws {
        let identity = try Identity(name: "crm.example.com", issuer: authority)
        let pair = try Pair(trusting, to: "crm.example.com", identity: identity)
        guard case .failed(let fault) = pair.handshake() else { Issue.record("accepted"); return }
        #expect(fault.cause == .wrongName)
        #expect(fault.words == "the certificate bears no alternative name at all, so not crm.example.com either")
    }

    @Test func `an expired certificate says since when`() throws {
        let identity = try Identity(name: "x", names: "DNS:crm.example.com", days: -20 ... -10, issuer: authority)
        let pair = try Pair(trusting, to: "crm.example.com", identity: identity)
        guard case .failed(let fault) = pair.handshake() else { Issue.record("accepted"); return }
        #expect(fault.cause == .expired)
        #expect(fault.words.wholeMatch(of: /the certificate expired on 20\d\d-\d\d-\d\d/) != nil, "\(fault.words)")
    }

    @Test func `a certificate of tomorrow is not valid yet`() throws {
        let identity = try Identity(name: "x", names: "DNS:crm.example.com", days: 2...10, issuer: authority)
        let pair = try Pair(trusting, to: "crm.example.com", identity: identity)
        guard case .failed(let fault) = pair.handshake() else { Issue.record("accepted"); return }
        #expect(fault.cause == .notYetValid)
    }

    @Test func `an unknown authority is named`() throws {
        let stranger = try Identity(name: "Stranger")
        let identity = try Identity(name: "x", names: "DNS:crm.example.com", issuer: stranger)
        let pair = try Pair(trusting, to: "crm.example.com", identity: identity)
        guard case .failed(let fault) = pair.handshake() else { Issue.record("accepted"); return }
        #expect(fault.cause == .unknownAuthority)
        #expect(fault.words == "the certificate is of an unknown authority (/CN=Stranger)")
    }

    @Test func `a self-signed certificate is nobody's`() throws {
        let pair = try Pair(trusting, to: "crm.example.com", identity: Identity(name: "x", names: "DNS:crm.example.com"))
        guard case .failed(let fault) = pair.handshake() else { Issue.record("accepted"); return }
        #expect(fault.cause == .unknownAuthority)
    }

    @Test func `the system's authorities vouch for none of ours`() throws {
        let identity = try Identity(name: "x", names: "DNS:crm.example.com", issuer: authority)
        let pair = try Pair(ClientContext(), to: "crm.example.com", identity: identity)
        guard case .failed(let fault) = pair.handshake() else { Issue.record("accepted"); return }
        #expect(fault.cause == .unknownAuthority)
    }

    @Test func `a refusal stays`() throws {
        let pair = try pair("crm.example.com", names: "DNS:other.example")
        let first = pair.handshake()
        #expect(pair.client.handshake() == first)
        #expect(pair.clientReads().0 == pair.clientReads().0)
    }

    @Test func `a file without certificates is no file of authorities`() throws {
        for content in ["", "not PEM", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            try TemporaryFile.with(Array(content.utf8)) { path in
                do throws(TLSFault) {
                    _ = try ClientContext(authorities: path)
                    Issue.record("took \(content)")
                } catch {
                    #expect(error.cause == .authorities)
                    #expect(error.words.hasPrefix("the authorities in \(path) cannot be used: "))
                }
            }
        }
        #expect(throws: TLSFault.self) { try ClientContext(authorities: "/nowhere/at/all.pem") }
    }

    @Test(arguments: ["", "a b", "a\u{0}b.example", "bücher.example", String(repeating: "a", count: 256)])
    func `what no certificate can bear is refused before anything is sent`(name: String) {
        #expect { try Pair(trusting, to: name, identity: nil) } throws: { ($0 as? TLSFault)?.cause == .serverName }
    }

    private func pair(_ name: String, names: String) throws -> Pair {
        try Pair(trusting, to: name, identity: Identity(name: "x", names: names, issuer: authority))
    }

    private func fault(_ name: String, names: String) throws -> TLSFault? {
        guard case .failed(let fault) = try pair(name, names: names).handshake() else { return nil }
        return fault
    }

    private func cause(_ name: String, names: String) throws -> TLSFault.Cause? {
        try fault(name, names: names)?.cause
    }
}
