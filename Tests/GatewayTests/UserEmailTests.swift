// One form for an address, and no second reading of it.

import Gateway
import Kernel
import TLS
import Testing

@Suite struct UserEmailTests {
    static let local64 = String(repeating: "l", count: 64)
    static let label63 = String(repeating: "d", count: 63)

    @Test(arguments: [
        ("ana@acme.com", "ana@acme.com"),
        (" \tAna.Lee+Test@ACME.Com\t ", "ana.lee+test@acme.com"),
        ("!#$%&'*+/=?^_{|}~-.9@x", "!#$%&'*+/=?^_{|}~-.9@x"),
        ("a@xn--bcher-kva.example", "a@xn--bcher-kva.example"),
        ("a@1.2.3.com", "a@1.2.3.com"),
        ("\(local64)@\(label63).com", "\(local64)@\(label63).com"),
        ("..@a-b.c", "..@a-b.c"),
    ])
    func `an address is trimmed and lower-case`(_ input: String, _ normalised: String) throws {
        let email = try #require(UserEmail(input))
        #expect(email.text == normalised)
        #expect(email.digest == Digest256(hashing: Array(normalised.utf8).span.raw))
        #expect(String(decoding: email.domain.copied(), as: UTF8.self) == normalised.split(separator: "@").last.map(String.init))
        #expect(UserEmail(normalised) == email)
    }

    @Test(arguments: [
        "", " ", "@", "a@", "@b", "ana", "ana.acme.com", "ana@@acme.com", "user@company.com@evil", "\"a@company.com\"@evil", "\"a\"@company.com",
        "a@company.com.", "a@.company.com", "a@company..com", "a@ｃompany.com", "ａ@company.com", "a@company.com%0d%0aX", "a@company.com\r\nX: y",
        "a@company.com\0", "a@[127.0.0.1]", "a@127.0.0.1", "a@1", "a@-company.com", "a@company-.com", "a@company.com-", "a@comp_any.com",
        "a(x)@company.com", "a@company.com(x)", "a b@company.com", "a@company .com", "<a@company.com>", "Ana <a@company.com>",
        "a@company.com, b@company.com", "a@company.com,b@company.com", "a@company.com;b@company.com", "a`b@company.com", "a\\b@company.com",
        "\u{212A}@company.com", "a@company.com\u{0130}", "mailto:a@company.com", "a@company.com:25", "a@company.com/x",
        "\(local64)l@company.com", "a@\(label63)d.com", "é@company.com",
        "a@" + String(repeating: "abc.", count: 63) + "ab",
    ])
    func `what is no plain address is refused`(_ input: String) {
        #expect(UserEmail(input) == nil)
    }

    @Test func `a domain of 253 bytes is the longest`() {
        let domain = String(repeating: "abc.", count: 63) + "d"
        #expect(domain.utf8.count == 253)
        #expect(UserEmail("\(Self.local64)@\(domain)") != nil)
    }

    @Test func `no byte string traps, and what is accepted says itself again`() {
        var random = SeededRandom(seed: 11)
        for _ in 0..<5000 {
            var bytes = Array("Some.One+tag@sub-domain.example.com".utf8)
            random.mutate(&bytes)
            guard let email = UserEmail(bytes.span.raw) else { continue }
            #expect(UserEmail(email.text) == email)
            #expect(email.text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && !(UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) })
            #expect(email.text.utf8.count { $0 == UInt8(ascii: "@") } == 1)
        }
    }
}
