// A message's bytes: what a mail server and a person's program make of them, and what can never get into them.

import Foundation
import Gateway
import Testing

@testable import Outbound

@Suite struct MailTests {
    private func mail(name: String? = "Claviger", subject: String = "12345678 is your code", text: String = "Hello\n") throws -> Mail {
        Mail(
            sender: Mail.Sender(name: name, address: try #require(UserEmail("connect@example.com"))),
            recipient: try #require(UserEmail("alice@acme.com")), subject: subject, text: text, date: 1_795_269_600, identifier: "abc")
    }

    private func lines(_ mail: Mail) -> [String] {
        String(decoding: mail.bytes, as: UTF8.self).components(separatedBy: "\r\n")
    }

    @Test func `a plain message is plain`() throws {
        let lines = try lines(mail())
        #expect(lines.contains("From: Claviger <connect@example.com>") && lines.contains("To: alice@acme.com"))
        #expect(lines.contains("Subject: 12345678 is your code") && lines.contains("Message-ID: <abc@example.com>"))
        #expect(lines.contains("Date: Sat, 21 Nov 2026 14:00:00 +0000"))
        #expect(lines.suffix(4) == ["", "Hello", "", ""])
    }

    @Test(arguments: ["x\r\nBcc: eve@evil.com", "x\nBcc: eve@evil.com", "x\rBcc: eve@evil.com", "x\u{0}Bcc:", "ü\r\n\r\nbody", "a\u{85}b", "=?utf-8?Q?x?="])
    func `no text becomes a line of the header`(text: String) throws {
        for mail in [try mail(name: text), try mail(subject: text)] {
            let header = lines(mail).prefix { !$0.isEmpty }
            #expect(header.filter { !$0.hasPrefix(" ") }.count == 9)
            #expect(!header.contains { $0.lowercased().hasPrefix("bcc") || $0.contains("\n") || $0.contains("\r") })
            #expect(header.allSatisfy { $0.utf8.count <= 998 && $0.utf8.allSatisfy { (0x20..<0x7F).contains($0) } })
        }
    }

    @Test func `a body of any text is short lines of ASCII`() throws {
        let text = "Grüße = " + String(repeating: "ä", count: 100) + " \n.\r\nend \t\n"
        let body = lines(try mail(text: text)).drop { !$0.isEmpty }
        #expect(body.allSatisfy { $0.utf8.count <= 76 && $0.utf8.allSatisfy { (0x20..<0x7F).contains($0) } })
        #expect(body.contains { $0.hasPrefix("Gr=C3=BC=C3=9Fe =3D") })
    }

    @Test(arguments: [(Int64(0), "Thu, 1 Jan 1970 00:00:00 +0000"), (951_782_400, "Tue, 29 Feb 2000 00:00:00 +0000"), (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 +0000")])
    func `dates are mail's`(seconds: Int64, text: String) {
        #expect(MailDate.text(seconds) == text)
    }
}
