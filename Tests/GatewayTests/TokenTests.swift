// Tokens and ids: what they look like, and that one is not taken for another.

import Gateway
import Kernel
import TLS
import Testing

@Suite struct TokenTests {
    @Test func `a token says its kind and 256 bits, and is known by its digest`() throws {
        let token = LinkToken(random: Array(0..<32))
        #expect(token.text == "cl_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8")
        let read = try #require(LinkToken(token.text))
        #expect(read.digest == token.digest && token.digest == Digest256(hashing: Array(token.text.utf8).span.raw))
    }

    @Test func `printed, it shows nothing`() {
        let token = SessionToken(random: Array(0..<32))
        var dumped = ""
        dump(token, to: &dumped)
        for shown in ["\(token)", String(reflecting: token), dumped] { #expect(!shown.contains("AAEC"), "\(shown)") }
    }

    @Test(arguments: [
        "", "cl_", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", "cs_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
        "cl_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh", "cl_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh88",
        "cl_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh=", "CL_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
        "cl_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdH\u{212A}8",
    ]) func `what is no link's token is none`(text: String) {
        #expect(LinkToken(text) == nil)
    }

    @Test func `no two are alike, and each has the form it is read by`() {
        let tokens = (0..<1000).map { _ in AdministrationToken(random: SecureRandom.bytes(32)) }
        #expect(Set(tokens.map(\.text)).count == 1000)
        #expect(tokens.allSatisfy { AdministrationToken($0.text)?.digest == $0.digest && SignInToken($0.text) == nil })
        #expect(tokens.allSatisfy { ProjectName($0.text) == nil && ServerName($0.text) == nil })
    }

    @Test func `an id has ten plain characters`() throws {
        let id = LinkID(random: SecureRandom.bytes(10))
        #expect(try #require(LinkID(id.text)) == id && id.text.utf8.count == 10)
        for text in ["", "abcdefghj", "abcdefghjkm", "abcdefghij", "abcdefgh1k", "ABCDEFGHJK", "abcdefgh/k"] { #expect(LinkID(text) == nil) }
    }
}
