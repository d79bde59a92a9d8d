// The sample MCP server: an executable that demands a credential and says, masked, what it saw. For trying Claviger out.

internal import ArgumentParser
internal import Hummingbird
internal import Logging

@main
struct SampleServer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sample-server",
        abstract: "An MCP server that demands a credential and says, masked, what it saw.",
        discussion: """
            It speaks 2026-07-28 and the session era at /mcp and offers three tools: `whoami` (what was seen of the \
            credential and of the agent's own headers), `echo`, and `count`, whose progress arrives event by event.

            By default a request must carry `Authorization: Bearer TOKEN`. Anything else is answered 401.
            """)

    @Option(help: "Where to listen, HOST:PORT.")
    var address = "127.0.0.1:8181"

    @Option(help: "A file with the accepted tokens, one a line. Needed unless --demand is none.")
    var tokenFile: String?

    @Option(help: "Where the credential must stand: header, path (/TOKEN/mcp), query, or none.")
    var demand = Demand.Place.header

    @Option(help: "The header's name (default: Authorization, which takes `Bearer TOKEN`) or the query pair's (default: api_key).")
    var name: String?

    func run() async throws {
        guard let colon = address.lastIndex(of: ":"), let port = UInt16(address[address.index(after: colon)...]) else {
            throw ValidationError("--address takes HOST:PORT, not \(address)")
        }
        let endpoint = Endpoint(demand: try Demand(place: demand, name: name, tokenFile: tokenFile))
        var logger = Logger(label: "sample-server")
        logger.logLevel = .warning
        let application = Application(
            responder: CallbackResponder { (request: Request, _: BasicRequestContext) in await endpoint.answer(request) },
            configuration: .init(address: .hostname(String(address[..<colon]), port: Int(port)), serverName: "sample-server"),
            onServerRunning: { _ in print("sample-server listens on \(address)") },
            logger: logger)
        try await application.runService()
    }
}
