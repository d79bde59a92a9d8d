// The templates, and the small parts that pages and forms stand on.

import Foundation
import Gateway
import HTTPTypes
import Hummingbird
import Kernel
import Testing

@testable import Portal

@Suite struct PageTests {
    @Test(arguments: PageTemplate.allCases) func `every template parses, and stands without anything to say`(template: PageTemplate) {
        let html = Page.html(template, [:])
        #expect(!html.contains("{{") && !html.isEmpty || [.stateMark, .serverCard, .pager, .picture].contains(template))
        #expect(!html.contains(" style=") && !html.contains("<script>") && !html.contains("javascript:"))
    }

    @Test(arguments: ["<b>", "\"x", "'x", "a&b", "`x`", "\"\u{338}onfocus=x", "<\u{338}b>", "&amp;"])
    func `text stays text, whatever combines with it`(text: String) {
        let html = Page.html(.notice, ["title": text, "house": text, "headline": text, "lead": text, "next": text])
        let inside = html.components(separatedBy: "<h1>").last?.components(separatedBy: "</h1>").first ?? ""
        #expect(!inside.unicodeScalars.contains { $0 == "<" || $0 == ">" || $0 == "\"" || $0 == "'" || $0 == "`" })
        var plain = inside
        for (escaped, character) in [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&#96;", "`"), ("&amp;", "&")] {
            plain = plain.replacingOccurrences(of: escaped, with: character, options: .literal)
        }
        #expect(plain.unicodeScalars.elementsEqual(text.unicodeScalars))
    }

    @Test(arguments: [
        ("a=1&b=2", "b", "2"), ("a=%31+%2B", "a", "1 +"), ("a=%", "a", "%"), ("a=%4", "a", "%4"), ("a", "a", ""), ("", "a", ""), ("a=x&a=y", "a", "x"), ("%61=q", "a", "q"), ("a=b=c", "a", "b=c"), ("&&a=1&", "a", "1"),
    ])
    func `a form is read as browsers write it`(body: String, name: String, value: String) {
        #expect(FormBody(Array(body.utf8).span.raw).text(name) == value)
    }

    @Test func `what is pasted loses what surrounds it, and nothing else`() throws {
        let form = FormBody(Array("key=%0A%20+se+cret%0D%0A&raw=%FF".utf8).span.raw)
        let (key, raw) = (try #require(form.pasted("key")), try #require(form.pasted("raw")))
        let (keyBytes, rawBytes) = (key.bytes.copied(), raw.bytes.copied())
        #expect(keyBytes == Array("se cret".utf8) && rawBytes == [0xFF] && form.text("raw") == "")
    }

    @Test(arguments: [
        ("__Host-claviger=x", "x"), ("a=b; __Host-claviger=x; c=d", "x"), ("__Host-claviger=x; __Host-claviger=y", nil), ("__host-claviger=x", nil),
        ("__Host-claviger-admin=x", nil), ("x__Host-claviger=x", nil), ("", nil),
    ])
    func `a cookie is one, under exactly its name`(header: String, value: String?) {
        let head = HTTPRequest(method: .get, scheme: "http", authority: "localhost", path: "/", headerFields: [.cookie: header])
        #expect(Request(head: head, body: RequestBody(buffer: .init())).cookie(Cookie.session) == value)
    }

    @Test(arguments: [(Int64(0), "1 January 1970", "1970-01-01"), (951_782_400, "29 February 2000", "2000-02-29"), (1_795_269_600, "21 November 2026", "2026-11-21"), (4_107_542_400, "1 March 2100", "2100-03-01")])
    func `days are people's, and come back from a form`(seconds: Int64, words: String, field: String) {
        #expect(Moment.day(seconds) == words && Moment.field(seconds) == field)
        #expect(Moment.seconds(field: field) == seconds / 86_400 * 86_400)
    }

    @Test(arguments: ["", "2026-02-29", "2026-13-01", "2026-00-10", "2026-1-1", "26-01-01", "2026-01-32", "2026/01/01", "-026-01-01", "2026-01-01 "])
    func `what is no day is none`(text: String) {
        #expect(Moment.seconds(field: text) == nil)
    }

    @Test(arguments: [(Int64(5), "just now"), (60, "1 min ago"), (3600, "an hour ago"), (7200, "2 hours ago"), (90_000, "yesterday"), (200_000, "2 days ago"), (8_640_000, "13 August 2026")])
    func `how long ago is said as people do`(past: Int64, words: String) {
        #expect(Moment.ago(1_795_269_600 - past, now: 1_795_269_600) == words)
    }

    @Test(arguments: [(0, "0"), (999, "999"), (1204, "1,204"), (1_000_000, "1,000,000")]) func `numbers are grouped`(number: Int, text: String) {
        #expect(AdminPages.grouped(number) == text)
    }

    @Test(arguments: ["alice+x@acme.com", "o'neil%@a.co", "a/b?c#d&e"]) func `an address goes into a path and comes out of it`(text: String) {
        #expect(AdminPages.decoded(AdminPages.encoded(text)) == text)
        #expect(!AdminPages.encoded(text).contains("/") && !AdminPages.encoded(text).contains("@"))
    }
}
