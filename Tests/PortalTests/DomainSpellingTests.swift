// Addresses that look as if they were of acme.com and are not: none of them is admitted by its link, in any of some three hundred spellings.

import Gateway
import Testing

@testable import Portal

@Suite struct DomainSpellingTests {
    /// What is put around, into and behind the domain.
    static let wrong: [String] = {
        let local = "alice"
        var found: [String] = [
            // Other domains that contain it.
            "\(local)@evilacme.com", "\(local)@acme.com.evil.com", "\(local)@acme.comevil.com", "\(local)@sub.acme.com", "\(local)@www.acme.com", "\(local)@acme.co",
            "\(local)@acme.cm", "\(local)@acmecom", "\(local)@acme-com", "\(local)@acme..com", "\(local)@.acme.com", "\(local)@acme.com.", "\(local)@acme.com..",
            "\(local)@-acme.com", "\(local)@acme-.com", "\(local)@xn--acme-.com", "\(local)@acme.com-", "\(local)@acme.community", "\(local)@a.cme.com", "\(local)@acme.c.om",
            // More than one at.
            "\(local)@acme.com@evil.com", "\(local)@evil.com@acme.com", "\(local)@@acme.com", "@\(local)@acme.com", "\(local)@acme.com@", "@acme.com", "\(local)@", "@", "acme.com",
            "\(local)%40acme.com@evil.com", "\(local)@evil.com%40acme.com", "\(local)@evil.com#@acme.com", "\(local)@evil.com?@acme.com", "\(local)@evil.com/@acme.com", "\(local)@evil.com\\@acme.com",
            // Quotes, comments, routes, groups.
            "\"a@acme.com\"@evil.com", "\"\(local)\"@acme.com", "\"\(local) \"@acme.com", "\(local)(x)@acme.com", "(x)\(local)@acme.com", "\(local)@(x)acme.com", "\(local)@acme.com(x)", "\(local)@acme(x).com",
            "<\(local)@acme.com>", "Alice <\(local)@acme.com>", "<@evil.com:\(local)@acme.com>", "@evil.com:\(local)@acme.com", "a:\(local)@acme.com;", "\(local)@acme.com;evil.com", "\(local)@acme.com:25",
            "mailto:\(local)@acme.com", "\(local)@[acme.com]", "\(local)@[127.0.0.1]", "\(local)@127.0.0.1", "\(local)@[IPv6:::1]", "\(local)@acme.com]", "[\(local)@acme.com", "\(local)!acme.com@evil.com",
            // Lists.
            "\(local)@acme.com,b@evil.com", "b@evil.com,\(local)@acme.com", "\(local)@acme.com b@evil.com", "\(local)@acme.com;b@evil.com", "\(local)@acme.com|b@evil.com", "\(local)@acme.com\tb@evil.com",
            // Percent and other encodings.
            "\(local)@acme%2ecom", "\(local)@acme%2Ecom", "\(local)@%61cme.com", "\(local)@acme.com%00", "\(local)@acme.com%0d%0a", "\(local)@acme.com%20", "\(local)@acme.com%2eevil.com", "\(local)@acme&#46;com",
            "\(local)@=?utf-8?q?acme?=.com", "=?x?q?\(local)=40acme.com=3e=00?=@evil.com", "\(local)@acme\\.com", "\(local)\\@acme.com", "\(local)@acme.com\\",
            // Look-alikes and international names.
            "\(local)@ａcme.com", "\(local)@acｍe.com", "\(local)@acme．com", "\(local)@acme。com", "\(local)@acme｡com", "\(local)@аcme.com", "\(local)@acmе.com", "\(local)@ɑcme.com", "\(local)@äcme.com", "\(local)@acmé.com",
            "\(local)＠acme.com", "\(local)@acme.ⅽom", "\(local)@acme.c0m", "\(local)@acrne.com", "\(local)@xn--cme-5cd.com", "\(local)@acme.com\u{301}", "\(local)@a\u{ad}cme.com", "\(local)@a\u{200b}cme.com",
            "\(local)@\u{202e}moc.emca", "\(local)@acme.com\u{feff}", "\u{feff}\(local)@acme.com", "\(local)@ACME.COM\u{130}", "\(local)@\u{212a}acme.com", "áłice@acme.com", "\(local)\u{2e}@äcme.com", "\(local)@acme.com\u{37e}",
            // Too long, empty labels.
            "\(String(repeating: "a", count: 65))@acme.com", "\(local)@\(String(repeating: "a", count: 64)).com", "\(local)@\(String(repeating: "a.", count: 127))acme.com", "\(local)@a.b..acme.com", "\(local)@..", "\(local)@.com",
            "\(local)@acme.123", "\(local)@1.2.3.4", "\(local)@0x7f.1", "\(local)@acme_com", "\(local)@acme,com", "\(local)@*.acme.com", "\(local)@acme.com*", "*@acme.com@x",
        ]
        // Every character that is none of a domain's, before, in and behind it.
        for scalar in (0..<128).compactMap({ UnicodeScalar($0) }) {
            let character = Character(scalar)
            guard !character.isLetter, !character.isNumber, character != ".", character != "-" else { continue }
            found.append("\(local)@acme\(character).com")
            if character != " ", character != "\t" { found.append("\(local)@acme.com\(character)") }
            found.append("\(local)@\(character)acme.com")
        }
        return found
    }()

    private static func link() throws -> AuthLink {
        AuthLink(
            id: LinkID(random: [UInt8](repeating: 1, count: 10)), project: try #require(ProjectName("acme")), servers: .everyOne,
            restriction: .domains([try #require(EmailDomain("acme.com"))]), created: 0, expires: nil)
    }

    @Test func `there are two hundred of them and more`() {
        #expect(Set(DomainSpellingTests.wrong).count >= 200)
    }

    @Test(arguments: wrong) func `it is no address, or none of acme's`(text: String) throws {
        let link = try DomainSpellingTests.link()
        #expect(UserEmail(text).map { link.admits($0) } != true)
    }

    @Test(arguments: ["alice@acme.com", "ALICE@ACME.COM", " alice@Acme.Com\t", "alice+x@acme.com", "a.l-i_c'e@acme.com"])
    func `what is really of acme's is`(text: String) throws {
        #expect(try DomainSpellingTests.link().admits(#require(UserEmail(text))))
    }
}
