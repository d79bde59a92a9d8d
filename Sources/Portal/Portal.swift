// The control path's HTTP: the API, the metrics and the pages, on a private socket that only our workers connect to.

package import Gateway
internal import Hummingbird
internal import Kernel
package import Logging
package import Telemetry

package struct Portal: Sendable {
    let desk: any CredentialDesk & ExportDesk
    let connector: any ConnectDesk
    let connections = ConnectionBook()
    let state: any PortalState
    let pages: PageServices
    let snapshot: @Sendable () -> Snapshot
    let status: @Sendable () async -> StatusReport
    let reload: @Sendable (Principal) async -> ReloadReport
    let metrics: @Sendable () -> String
    let label: UserLabel
    let logger: Logger
    let wallClock: @Sendable () -> Int64
    let random: @Sendable (Int) -> [UInt8]

    /// - Parameters:
    ///   - snapshot: the one in force.
    ///   - reload: reads the configuration again, for who wants it.
    ///   - metrics: Prometheus's text.
    ///   - label: how the log names users.
    ///   - wallClock: seconds since 1970.
    ///   - random: so many bytes that nobody can guess.
    package init(
        desk: any CredentialDesk & ExportDesk, connector: any ConnectDesk, state: any PortalState, pages: PageServices,
        snapshot: @escaping @Sendable () -> Snapshot,
        status: @escaping @Sendable () async -> StatusReport, reload: @escaping @Sendable (Principal) async -> ReloadReport, metrics: @escaping @Sendable () -> String, label: UserLabel, logger: Logger,
        wallClock: @escaping @Sendable () -> Int64, random: @escaping @Sendable (Int) -> [UInt8]
    ) {
        self.desk = desk
        self.connector = connector
        self.state = state
        self.pages = pages
        self.snapshot = snapshot
        self.status = status
        self.reload = reload
        self.metrics = metrics
        self.label = label
        self.logger = logger
        self.wallClock = wallClock
        self.random = random
    }

    /// Serves until its task is cancelled.
    ///
    /// - Parameters:
    ///   - path: of the socket, which gets mode 0600; one that is left over is replaced.
    ///   - running: called once it listens.
    /// - Throws: what kept it from listening.
    package func run(at path: String, running: @escaping @Sendable () -> Void) async throws {
        Files.remove(path)
        try await application(at: .unixDomainSocket(path: path)) {
            try? Files.setMode(path, 0o600)
            running()
        }.run()
    }

    func application(at address: BindAddress, running: @escaping @Sendable () -> Void = {}) -> some ApplicationProtocol {
        var quiet = logger
        // Hummingbird's own words tell of its start, and of its end as of an error: neither helps an operator.
        quiet.logLevel = .critical
        return Application(
            responder: CallbackResponder { (request: Request, _: BasicRequestContext) in await answer(request) },
            configuration: .init(address: address), onServerRunning: { _ in running() }, logger: quiet)
    }

    /// Where a request goes. What is not for its door does not exist there.
    func answer(_ request: Request) async -> Response {
        await Acquaintance.noted { await found(request) }.guarded(isEncrypted: snapshot().portalURL.utf8.starts(with: "https://".utf8))
    }

    private func found(_ request: Request) async -> Response {
        guard let authority = Authority(request.headers) else { return .notFound }
        let path = request.uri.path.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map(String.init)
        switch (path.first, authority) {
        case ("connect", _): return await people(request, Array(path.dropFirst()))
        case (".well-known", _): return clientDocument(request, Array(path.dropFirst()))
        case ("admin", .visitor): return await administration(request, Array(path.dropFirst()))
        case ("metrics", .visitor) where path.count == 1, ("metrics", .holder) where path.count == 1:
            guard request.method == .get else { return .notAllowed("GET") }
            return Response(
                status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
                body: .init(byteBuffer: .init(string: metrics())))
        case ("api", .holder(let uid)):
            return await api(request, Array(path.dropFirst()), by: .everywhere(Principal(actor: .uid(uid), source: "admin.sock")))
        case ("api", .visitor):
            do throws(APIFault) {
                return await api(request, Array(path.dropFirst()), by: try await apiCaller(request))
            } catch {
                return error.response
            }
        default: return .notFound
        }
    }
}
