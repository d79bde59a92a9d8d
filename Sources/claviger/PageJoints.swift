// What the pages need, joined: the broker's word on what is stored, and the mail server's outbox.

internal import Credentials
internal import EventLoop
internal import Gateway
internal import Kernel
internal import Logging
internal import Outbound
internal import Portal
internal import State
internal import Synchronization

/// The calls are the protocol's own; the types are the broker's.
struct BrokerConnections: ConnectionDesk {
    let broker: CredentialBroker

    func connections(at instances: [ServerInstance], user: UserEmail) async throws(DepositFault) -> [ServerName: FoundConnection] {
        let standings = try await broker.standings(at: instances, user: user)
        var connections: [ServerName: FoundConnection] = [:]
        for instance in instances {
            connections[instance.name] = standings[instance.name].map { BrokerConnections.connection($0, at: instance) } ?? .missing
        }
        return connections
    }

    private static func connection(_ standing: StoredStanding, at instance: ServerInstance) -> FoundConnection {
        guard let deposit = standing.deposit else { return standing.isUsable ? .connected(since: nil) : .unusable }
        // One grant at an identity provider serves several servers, and is on record for the one it was made at.
        if deposit.server == instance.name, deposit.origin != instance.server.origin { return .moved }
        if let rejected = deposit.rejectedAt { return .refused(since: rejected) }
        return standing.isUsable ? .connected(since: deposit.updatedAt) : .unusable
    }
}

/// Messages on their way to the mail server: handed in at once, sent one after another, some at a time.
final class Outbox: CodeMailer {
    private let server: MailServer
    private let sender: Mail.Sender
    private let client: OutboundClient
    private let logger: Logger
    private let wallClock: @Sendable () -> Int64
    private let letters: AsyncStream<Mail>
    private let incoming: AsyncStream<Mail>.Continuation
    private let failing = Atomic(false)

    /// How many messages wait; one more is dropped, and its sender asks for another code.
    private static let room = 1000
    /// How many are handed over at once.
    private static let width = 4

    init(_ settings: EmailCodeSettings, authorities: String?, client: OutboundClient, logger: Logger, wallClock: @escaping @Sendable () -> Int64) {
        let encryption: MailServer.Encryption =
            switch settings.encryption {
            case .implicit: .implicit
            case .demanded: .demanded
            case .absent: .absent
            }
        server = MailServer(
            host: settings.host, port: settings.port, encryption: encryption, user: settings.user, password: settings.password, authorities: authorities)
        sender = Mail.Sender(name: settings.senderName, address: settings.sender)
        self.client = client
        self.logger = logger
        self.wallClock = wallClock
        (letters, incoming) = AsyncStream.makeStream(of: Mail.self, bufferingPolicy: .bufferingOldest(Outbox.room))
    }

    var isInTrouble: Bool { failing.load(ordering: .relaxed) }

    func post(subject: String, text: String, to recipient: UserEmail) {
        let identifier = SecureRandom.bytes(15).map { String($0, radix: 16) }.joined()
        let mail = Mail(sender: sender, recipient: recipient, subject: subject, text: text, date: wallClock(), identifier: identifier)
        if case .dropped = incoming.yield(mail) { logger.error("mail: \(Outbox.room) messages wait already, one was dropped") }
    }

    /// Takes no more messages; `run` ends when those that wait have gone.
    func finish() { incoming.finish() }

    /// Sends until its task is cancelled.
    func run() async {
        await withTaskGroup(of: Void.self) { group in
            var running = 0
            for await mail in letters {
                if running == Outbox.width {
                    await group.next()
                    running -= 1
                }
                running += 1
                group.addTask { await self.send(mail) }
            }
        }
    }

    /// Twice, where the first time nothing came of it but silence.
    private func send(_ mail: Mail) async {
        for attempt in 1...2 {
            do throws(MailFault) {
                try await client.send(mail, by: server)
                if failing.exchange(false, ordering: .relaxed) { logger.notice("mail: the server takes messages again") }
                return
            } catch {
                failing.store(true, ordering: .relaxed)
                logger.error("mail: a sign-in code was not sent: \(error)")
                guard attempt == 1, case .transport(let kind) = error.kind, kind != .untrusted, kind != .invalid, kind != .cancelled else { return }
                do { try await Task.sleep(for: .seconds(2)) } catch { return }
            }
        }
    }
}

/// How codes reach people, and the client that also tries values out.
final class MailRoom: Sendable {
    let client: OutboundClient
    private let logger: Logger
    private let state: Mutex<(codes: CodeDelivery, outbox: Outbox?)>
    /// Those that are to be run: each time the mail server's settings change, another.
    private let outboxes: AsyncStream<Outbox>
    private let opened: AsyncStream<Outbox>.Continuation

    init(_ snapshot: Snapshot, logger: Logger) throws {
        client = OutboundClient(on: try .started(name: "pages"), agent: "claviger/\(Version.text)")
        self.logger = logger
        state = Mutex((.nowhere, nil))
        (outboxes, opened) = AsyncStream.makeStream(of: Outbox.self)
        adopt(snapshot, isChanged: true)
    }

    var codes: CodeDelivery { state.withLock { $0.codes } }

    /// - Parameter isChanged: whether the mail server's settings are others than before. Messages that wait are still sent by the former ones.
    func adopt(_ snapshot: Snapshot, isChanged: Bool) {
        guard let settings = snapshot.portal.emailCode else {
            // Where there is an identity provider, nobody needs to be able to read the log.
            return put(MailRoom.isOnLoopback(snapshot) && snapshot.portal.oidc == nil ? .log : .nowhere, nil)
        }
        guard isChanged else { return }
        let outbox = Outbox(
            settings, authorities: Places.environment["SSL_CERT_FILE"], client: client, logger: logger,
            wallClock: { WallClock.milliseconds() / 1000 })
        put(.mail(outbox), outbox)
        opened.yield(outbox)
    }

    private func put(_ codes: CodeDelivery, _ outbox: Outbox?) {
        let former = state.withLock { state in
            defer { state = (codes, outbox) }
            return state.outbox
        }
        former?.finish()
    }

    /// Until its task is cancelled.
    func run() async {
        await withDiscardingTaskGroup { group in
            for await outbox in outboxes { group.addTask { await outbox.run() } }
            group.cancelAll()
        }
    }

    func close() async { await client.close() }

    /// Whether nobody but this machine's users comes to the pages: then its log is not for strangers either.
    private static func isOnLoopback(_ snapshot: Snapshot) -> Bool {
        let authority = snapshot.portalURL.drop { $0 != ":" }.dropFirst(3)
        let host = authority.first == "[" ? authority.dropFirst().prefix { $0 != "]" } : authority.prefix { $0 != ":" }
        return host == "localhost" || host == "::1" || host.hasPrefix("127.") && host.allSatisfy { $0.isNumber || $0 == "." }
    }
}
