// Files of certificates and keys: what is read from good ones, and what is said of the others.

internal import Kernel
internal import TLS
import Testing

@Suite struct KeyedCertificateTests {
    let authority: Identity
    let identity: Identity

    init() throws {
        authority = try Identity(name: "Test Authority")
        identity = try Identity(name: "x", names: "DNS:Crm.example.com,IP:127.0.0.1,DNS:*.docs.example.com", issuer: authority)
    }

    @Test func `names and dates are read, the chain behind the leaf too`() throws {
        let read = try read(identity.pem() + authority.pem(), identity.keyPEM())
        #expect(read.names == ["crm.example.com", "*.docs.example.com"])
        #expect(read.notAfter - read.notBefore == 31 * 86_400)
        let now = WallClock.milliseconds() / 1000
        #expect(read.notBefore < now && now < read.notAfter)
    }

    @Test func `certificate and key may stand in one file, in any order`() throws {
        for content in [identity.pem() + identity.keyPEM(), identity.keyPEM() + identity.pem()] {
            try TemporaryFile.with(content) { path in _ = try KeyedCertificate(certificate: path, privateKey: path) }
        }
    }

    @Test func `another's key is refused`() throws {
        let fault = fault(identity.pem(), try Identity(name: "y").keyPEM())
        #expect(fault?.cause == .ownKey)
        #expect(fault?.words.contains("does not belong to the first certificate in /tmp/") == true)
        // The authority's certificate in front is the usual mistake.
        #expect(self.fault(authority.pem() + identity.pem(), identity.keyPEM())?.cause == .ownKey)
    }

    @Test func `what cannot be read says which file`() throws {
        #expect(fault([], identity.keyPEM())?.cause == .ownCertificate)
        #expect(fault(identity.pem(), [])?.cause == .ownKey)
        #expect(fault(identity.pem() + Array("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".utf8), identity.keyPEM())?.cause == .ownCertificate)
        // Half of a file that is still being written.
        #expect(fault(Array(identity.pem().dropLast(200)), identity.keyPEM())?.cause == .ownCertificate)
        #expect(throws: TLSFault.self) { try KeyedCertificate(certificate: "/nowhere.pem", privateKey: "/nowhere.pem") }
        do throws(TLSFault) {
            _ = try KeyedCertificate(certificate: "/tmp", privateKey: "/tmp")
            Issue.record("took a directory")
        } catch {
            #expect(error.words == "the certificate /tmp cannot be read; check that it is a file and that the user `claviger` may read it")
        }
    }

    @Test func `a key under a passphrase asks nobody`() throws {
        let fault = fault(identity.pem(), identity.keyPEM(passphrase: "secret"))
        #expect(fault?.cause == .ownKey)
        #expect(fault?.words.contains("is encrypted") == true)
    }

    @Test func `a weak key is no listener's`() throws {
        let weak = try Identity(name: "x", names: "DNS:crm.example.com", issuer: authority, rsa: 1024).keyed()
        let strong = try identity.keyed()
        do throws(TLSFault) {
            _ = try ServerContext([strong, weak])
            Issue.record("taken")
        } catch {
            #expect(error.cause == .ownCertificate)
            #expect(error.words.contains("may not be used: ee key too small"))
        }
    }

    @Test func `a server that asks sees the gateway's certificate`() throws {
        let agent = try Identity(name: "gateway", issuer: authority).keyed()
        try TemporaryFile.with(authority.pem()) { path in
            let server = try ServerContext([identity.keyed()], clients: .required(authorities: path))
            let shown = try ClientContext(authorities: path, certificate: agent)
            #expect(try SessionPair(shown, server).handshake() == nil)
            let fault = try SessionPair(ClientContext(authorities: path), server).handshake()
            #expect(fault?.words == "the client showed no certificate, which is required here")
        }
    }

    private func read(_ certificate: [UInt8], _ key: [UInt8]) throws -> KeyedCertificate {
        try TemporaryFile.with(certificate) { certificate in
            try TemporaryFile.with(key) { key in try KeyedCertificate(certificate: certificate, privateKey: key) }
        }
    }

    private func fault(_ certificate: [UInt8], _ key: [UInt8]) -> TLSFault? {
        do {
            _ = try read(certificate, key)
            return nil
        } catch {
            return error as? TLSFault
        }
    }
}
