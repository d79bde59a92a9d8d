// `claviger credential connect`: prints a page's URL, and waits until whoever opens it is back from the provider.

internal import ArgumentParser
internal import Kernel
internal import Portal

extension CredentialCommand {
    struct Connect: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Connects a server that uses OAuth: prints a page's URL and waits for its end.",
            discussion: """
                Whoever opens the page signs in at the server's provider; what he allows is kept for the user or the project. The page opens once, \
                within ten minutes, and nobody has to sign in at Claviger for it: give it to nobody but whose account is to be connected.
                """)

        @OptionGroup var subject: Subject
        @OptionGroup var place: RuntimePlace
        @Flag(help: "Print JSON: a line when the page is there, a line with the end.") var json = false

        func run() throws {
            let daemon = AdminClient(place: place, patience: .seconds(60))
            let begun = try daemon.ask(for: ConnectionBegun.self, subject.path + "/connect", method: "POST", query: subject.query)
            print(json ? JSONText.line(begun) : "Open this page to connect \(subject.words), once, within ten minutes:\n\(begun.url)")
            StandardOutput.flush()
            var known = "waiting"
            while true {
                let report = try daemon.ask(for: ConnectionReport.self, "connections/\(begun.id)", query: [("after", known)])
                switch report.state {
                case "connected":
                    let scopes = report.scopes.flatMap { $0.isEmpty ? nil : " (\($0.joined(separator: " ")))" } ?? ""
                    print(json ? JSONText.line(report) : "connected: \(subject.words)\(scopes)")
                    return
                case "failed":
                    if json { print(JSONText.line(report)) }
                    throw CommandFault.failed("not connected: \(report.message ?? "it is not known why")")
                default: known = report.state
                }
            }
        }
    }
}
