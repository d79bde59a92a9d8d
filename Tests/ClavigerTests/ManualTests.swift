// The manual's pages have everything that is declared, in the form that mdoc(7) wants.

import ConfigurationFiles
import Gateway
import Testing

@testable import claviger

@Suite struct ManualTests {
    private func page(_ page: ManualPage) throws -> String { try page.text(date: "November 21, 2026") }

    @Test(arguments: ManualPage.allCases) func `a page is of the day and the version it is asked for, and of its file's section`(page: ManualPage) throws {
        let text = try self.page(page)
        let parts = page.rawValue.split(separator: ".")
        #expect(text.hasPrefix(".Dd November 21, 2026\n.Dt \(parts.dropLast().joined(separator: ".").uppercased()) \(parts[parts.count - 1])\n.Os Claviger \(Version.text)\n"))
        let sections = text.matches(of: /\n\.Sh ([A-Z ]+)/).map { String($0.1) }
        let order = [
            "NAME", "SYNOPSIS", "DESCRIPTION", "COMMANDS", "VALUES", "SETTINGS", "SIGNALS", "UNITS", "ENVIRONMENT", "FILES", "EXIT STATUS", "EXAMPLES", "DIAGNOSTICS", "SEE ALSO",
            "SECURITY CONSIDERATIONS",
        ]
        #expect(sections == order.filter(sections.contains))
    }

    @Test func `every command has its synopsis and its options, and what is hidden has none`() throws {
        let text = try page(.commands)
        for (words, node) in try CommandTree.described().command.shown.flatMap({ $0.leaves() }) {
            #expect(text.contains("\n.It \(node.synopsis(words))\n"))
            for argument in node.own { #expect(text.contains("\n.It \(argument.macros)\n")) }
        }
        #expect(text.contains("\n.It Cm key new Oo Fl -id Ar id Oc Oo Fl -expires Ar when Oc Oo Fl -note Ar note Oc Oo Fl -json Oc\n"))
        #expect(text.contains("\n.It Cm user show Ar email Fl -project Ar project Oo Fl -runtime Ar dir Oc Oo Fl -json Oc\n"))
        #expect(!text.contains("claviger manual"))
    }

    @Test func `every setting is in claviger.conf, with its form and default`() throws {
        let text = try page(.configuration)
        for setting in Setting.all { #expect(text.contains("\n.\(setting.path.contains(".") ? "It Sy" : "Ss") \(setting.path)\n")) }
        #expect(text.contains("\nDefault: \\%\\fB10000\\fP.\n"))
        #expect(text.contains("Not supported by this version."))
    }

    @Test func `every refusal is in the daemon's page`() throws {
        let text = try page(.daemon)
        for code in RefusalCode.allCases { #expect(text.contains("\n.It Sy \(code.rawValue) Pq \(code.status)\n")) }
    }

    @Test(arguments: [
        ("Plain words", "Plain words"), ("a `--flag` b-c", "a \\%\\fB\\-\\-flag\\fP b-c"), (".dot", "\\&.dot"), ("'quote", "\\&'quote"),
        ("back\\slash", "back\\eslash"), ("ck_…", "\\%ck_..."), ("é", "\\[u00E9]"), ("`it's`", "\\%\\fBit\\(aqs\\fP"),
        (String(repeating: "1234567 ", count: 9) + "12345 .9", String(repeating: "1234567 ", count: 9) + "12345|\\&.9"),
    ]) func `text is escaped for roff, and no line of it is long or a macro`(text: String, lines: String) {
        #expect(Mdoc.wrapped(Mdoc.inline(text)).joined(separator: "|") == lines)
    }

    @Test func `prose has a sentence a line, paragraphs apart, and examples as they are`() {
        var page = Mdoc("a", "b", section: 1, date: "x", purpose: "c")
        page.section("D")
        page.prose("One. Two? Three e.g\ngoes on.\n\nFour.\n\n    .five `-`\n")
        #expect(page.text == """
            .Dd x
            .Dt A 1
            .Os Claviger \(Version.text)
            .Sh NAME
            .Nm a ,
            .Nm b
            .Nd c
            .Sh D
            One.
            Two?
            Three e.g goes on.
            .Pp
            Four.
            .Bd -literal -offset indent
            \\&.five \\(ga\\-\\(ga
            .Ed

            """)
    }
}
