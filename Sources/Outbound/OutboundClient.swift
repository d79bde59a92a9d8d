// Every request the gateway makes for itself: libcurl's multi handle on an event loop of its own, awaited.

internal import Curl
package import EventLoop
internal import Gateway
internal import Kernel

/// One thread carries out all of them: no thread a transfer, and connections are kept for the next one.
///
/// At most `transfers` run at once; the others wait in their order, within their own time. What is cancelled ends at once, its connection with it.
package actor OutboundClient: HTTPClient {
    private nonisolated let loop: EventLoop
    private let agent: String
    private let transfers: Int

    /// By their transfers.
    private var calls: [ObjectIdentifier: Call] = [:]
    /// Those of them that have not begun, in their order.
    private var waiting: [ObjectIdentifier] = []
    private var driver: Driver?
    private var isClosed = false

    /// How many may wait.
    private static let waitingLimit = 1000

    private struct Call {
        let transfer: CurlTransfer
        let party: Party
        let connecting: Duration
        let deadline: MonotonicTime
        let continuation: CheckedContinuation<OutboundFault?, Never>
    }

    /// What turns the multi handle: made with the first request, on the loop.
    private struct Driver {
        let multi: CurlMulti
        let slot: Slot
        let waiter: Waiter
    }

    /// - Parameters:
    ///   - loop: its own, shared with no worker.
    ///   - agent: what `User-Agent` says.
    ///   - transfers: how many run at once, and how many connections are kept.
    package init(on loop: EventLoop, agent: String, transfers: Int = 32) {
        self.loop = loop
        self.agent = agent
        self.transfers = max(transfers, 1)
    }

    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.serial }

    package func send(_ request: OutboundRequest) async throws(OutboundFault) -> OutboundResponse {
        let deadline = MonotonicTime.now().advanced(by: request.limits.time)
        try admit(request.party)
        let transfer = try request.transfer(agent: agent)
        if let fault = await carry(transfer, for: request.party, until: deadline, connecting: request.limits.connecting) {
            guard request.endsWithHead, fault.kind == .tooLarge else { throw fault }
        }
        return OutboundResponse(transfer)
    }

    /// Hands a message to its mail server; returns when the server has taken it over.
    package func send(_ mail: Mail, by server: MailServer) async throws(MailFault) {
        let transfer: CurlTransfer
        do throws(OutboundFault) {
            try admit(server.party)
            transfer = try server.transfer(of: mail)
        } catch {
            throw MailFault(error, status: 0)
        }
        let deadline = MonotonicTime.now().advanced(by: server.time)
        if let fault = await carry(transfer, for: server.party, until: deadline, connecting: server.connecting) {
            throw MailFault(fault, status: transfer.status)
        }
    }

    private func admit(_ party: Party) throws(OutboundFault) {
        guard !isClosed, !Task.isCancelled else { throw party.fault(.cancelled, .safe, "nobody waits for it") }
        guard waiting.count < OutboundClient.waitingLimit else { throw party.fault(.crowded, .safe, "too many requests wait") }
    }

    /// - Returns: why the transfer did not come to its end; nil where it did.
    private func carry(_ transfer: CurlTransfer, for party: Party, until deadline: MonotonicTime, connecting: Duration) async -> OutboundFault? {
        let call = ObjectIdentifier(transfer)
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                calls[call] = Call(transfer: transfer, party: party, connecting: connecting, deadline: deadline, continuation: continuation)
                waiting.append(call)
                beginWaiting()
            }
        } onCancel: {
            // Only the loop's thread may touch the transfer: a task of one step, which waits for nothing.
            Task(executorPreference: loop) { await self.cancel(call) }
        }
    }

    /// Ends what is under way, and takes no more.
    package func close() {
        isClosed = true
        for call in Array(calls.keys) { cancel(call) }
        driver?.waiter.interrupt()
    }

    /// Requests under way or waiting.
    package var count: Int { calls.count }

    // MARK: Calls

    private func beginWaiting() {
        while calls.count - waiting.count < transfers, let first = waiting.first {
            waiting.removeFirst()
            begin(first)
        }
        // Its deadline is earlier now, or a waiting one's is.
        driver?.waiter.interrupt()
    }

    private func begin(_ identifier: ObjectIdentifier) {
        guard let call = calls[identifier] else { return }
        let left = call.deadline.duration(since: .now())
        guard left > .zero else { return end(identifier, call.party.late) }
        do throws(CurlFault) {
            let driver = try startedDriver()
            try call.transfer.limit(whole: left, connecting: min(call.connecting, left))
            try driver.multi.add(call.transfer)
        } catch {
            end(identifier, call.party.fault(error, isSent: false))
        }
    }

    private func cancel(_ identifier: ObjectIdentifier) {
        guard let call = calls[identifier] else { return }
        if let at = waiting.firstIndex(of: identifier) { waiting.remove(at: at) } else { driver?.multi.abandon(call.transfer) }
        end(identifier, call.party.fault(.cancelled, call.transfer.isSent ? .ifRepeatable : .safe, "nobody waits for it any more"))
        beginWaiting()
    }

    private func end(_ identifier: ObjectIdentifier, _ fault: OutboundFault?) {
        calls.removeValue(forKey: identifier)?.continuation.resume(returning: fault)
    }

    // MARK: Driving

    private func startedDriver() throws(CurlFault) -> Driver {
        if let driver { return driver }
        let multi = try CurlMulti(idle: transfers)
        let slot: Slot
        do throws(SystemFault) { slot = try loop.register(multi.number) } catch { throw CurlFault(.other, "\(error)") }
        let driver = Driver(multi: multi, slot: slot, waiter: Waiter(on: loop))
        self.driver = driver
        Task(executorPreference: loop) { await self.drive() }
        return driver
    }

    /// Until it is closed. What became ready is worked off batch by batch, and the loop turns between them.
    private func drive() async {
        guard let driver else { return }
        while !isClosed {
            let deadline = min(driver.multi.deadline, waiting.compactMap { calls[$0]?.deadline }.min() ?? .never)
            _ = await driver.waiter.wait(for: driver.slot, .readable, until: deadline)
            if driver.multi.deadline <= .now() { driver.multi.expire() }
            let wasReady = driver.multi.act()
            // The set says only what newly became ready: it is drained when nothing was.
            if !wasReady { driver.slot.drained() }
            collect(driver.multi)
            if wasReady { _ = await driver.waiter.yield() }
        }
        loop.release(driver.slot)
        self.driver = nil
    }

    private func collect(_ multi: CurlMulti) {
        while let (transfer, fault) = multi.nextFinished() {
            let identifier = ObjectIdentifier(transfer)
            guard let call = calls[identifier] else { continue }
            end(identifier, fault.map { call.party.fault($0, isSent: transfer.isSent) })
        }
        let now = MonotonicTime.now()
        for identifier in waiting {
            guard let call = calls[identifier], call.deadline <= now else { continue }
            waiting.removeAll { $0 == identifier }
            end(identifier, call.party.late)
        }
        beginWaiting()
    }
}
