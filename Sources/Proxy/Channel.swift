// One end of a connection: its socket, what the loop knows of it, TLS where there is any, and the bytes that came in.

internal import EventLoop
internal import HTTP1
internal import Kernel
internal import TLS

/// Closes itself when released. Reads into a block lent by the worker's pool, and only while the socket is readable as far
/// as the loop knows: no read is made to find out that there is nothing.
final class Channel {
    let slot: Slot
    private let descriptor: Descriptor
    private let loop: EventLoop
    private let buffers: BufferPool
    private var tls: TLSSession?
    /// TLS may hold decrypted bytes that the socket no longer shows.
    private var hasMore = false
    /// The bytes received and not yet consumed. Has a block's memory only while there are any.
    let inbox = ByteBuffer(capacity: 1)
    private var isLent = false
    /// What a read or a write of TLS waits for; the other direction while it negotiates.
    private var readNeeds: Readiness = .readable
    private var writeNeeds: Readiness = .writable
    /// Part of a TLS record may have left, and the rest of it will be what leaves next.
    private var isMidRecord = false
    /// Bytes given to the socket in all; of TLS, before encryption.
    private(set) var sent = 0

    init(_ descriptor: consuming Descriptor, on loop: EventLoop, buffers: BufferPool) throws(SystemFault) {
        slot = try loop.register(descriptor.number)
        self.descriptor = descriptor
        self.loop = loop
        self.buffers = buffers
    }

    deinit {
        tls?.close()
        loop.release(slot)
        if isLent { buffers.reclaim(inbox) }
    }

    var number: Int32 { descriptor.number }
    var isEncrypted: Bool { tls != nil }
    /// Whether the TLS handshake resumed an earlier session; meaningful once it is done.
    var isResumed: Bool { tls?.isResumed == true }

    // MARK: What came in

    var hasBytes: Bool { !inbox.isEmpty }
    var count: Int { inbox.count }
    var isFull: Bool { isLent && inbox.count == inbox.capacity }

    /// Gives the block back when nothing is left in it.
    func consume(_ n: Int) {
        inbox.consume(n)
        giveBackIfEmpty()
    }

    /// Receives behind what is there. `notYet` where nothing is there, and where no room is left (`isFull`).
    func receive() -> ReadOutcome {
        guard isReadable else { return .notYet }
        if !isLent {
            buffers.lend(to: inbox)
            isLent = true
        }
        if inbox.space == 0 { inbox.compact() }
        guard inbox.space > 0 else { return .notYet }
        let outcome = tls == nil ? receivePlain() : receiveEncrypted()
        giveBackIfEmpty()
        return outcome
    }

    private func receivePlain() -> ReadOutcome {
        let room = inbox.space
        var outcome = ReadOutcome.notYet
        let n = inbox.fill { space in
            outcome = Socket.receive(number, into: &space)
            if case .bytes(let n) = outcome { return n }
            return 0
        }
        // A short read took all there was: the next would only say so.
        if n < room { slot.drained() }
        return outcome
    }

    private func receiveEncrypted() -> ReadOutcome {
        guard let tls else { return .notYet }
        var outcome = ReadOutcome.notYet
        readNeeds = .readable
        pass(readinessTo: tls)
        _ = inbox.fill { space in
            switch tls.read(into: &space) {
            case .bytes(let n):
                outcome = .bytes(n)
                return n
            case .wantsRead: outcome = .notYet
            case .wantsWrite:
                readNeeds = .writable
                outcome = .notYet
            case .closed(let clean):
                // An end that TLS does not vouch for may be an attacker's: whoever reads until the end must not take it for one.
                outcome = clean ? .end : .failed(SystemFault("TLS read", SystemFault.connectionReset))
            case .failed:
                outcome = .failed(SystemFault("TLS read", SystemFault.connectionReset))
            }
            return 0
        }
        take(readinessFrom: tls)
        // After «not yet» what is left is the beginning of a record: only the socket brings the rest.
        if case .bytes = outcome { hasMore = tls.hasBufferedBytes } else { hasMore = false }
        return outcome
    }

    private func giveBackIfEmpty() {
        guard isLent, inbox.isEmpty else { return }
        buffers.reclaim(inbox)
        isLent = false
    }

    // MARK: What goes out

    /// Sends what the socket takes of `bytes`; `notYet` where it takes none.
    func send(_ bytes: RawSpan) -> WriteOutcome {
        if tls != nil { return sendEncrypted(bytes) }
        guard slot.readiness.contains(.writable) else { return .notYet }
        let outcome = Socket.send(number, bytes)
        switch outcome {
        case .bytes(let n):
            sent &+= n
            if n < bytes.byteCount { slot.filled() }
        case .notYet: slot.filled()
        case .failed: break
        }
        return outcome
    }

    private func sendEncrypted(_ bytes: RawSpan) -> WriteOutcome {
        guard let tls else { return .notYet }
        writeNeeds = .writable
        isMidRecord = false
        pass(readinessTo: tls)
        let outcome: WriteOutcome
        switch tls.write(bytes) {
        case .bytes(let n):
            sent &+= n
            outcome = .bytes(n)
        case .wantsRead:
            writeNeeds = .readable
            outcome = .notYet
        case .wantsWrite:
            isMidRecord = true
            outcome = .notYet
        case .failed: outcome = .failed(SystemFault("TLS write", SystemFault.connectionReset))
        }
        take(readinessFrom: tls)
        return outcome
    }

    /// Whether anything has left since `sent` was `count`.
    func hasSent(since count: Int) -> Bool { sent != count || isMidRecord }

    /// We send no more; the peer sees the end behind what is under way. What it still sends is received as it comes over the wire, to be dropped.
    func endSending() {
        tls?.close()
        endEncryption()
        Socket.endSending(number)
    }

    /// The close will be a reset, which nobody takes for an end; so there is no good-bye of TLS either, which would be one.
    func resetOnClose() {
        endEncryption()
        Socket.resetOnClose(number)
    }

    // MARK: Readiness

    var isReadable: Bool { hasMore || !slot.readiness.isDisjoint(with: readNeeds) }

    /// Whether nothing waits in the socket, by asking it: one system call.
    var isSilent: Bool { Socket.isSilent(number) }

    /// The peer has sent its last byte, or the connection broke.
    var isClosed: Bool { slot.isClosed }

    /// What to wait for before `receive` can bring something, or `send` take something.
    var toReceive: Readiness { readNeeds }
    var toSend: Readiness { writeNeeds }

    // MARK: TLS

    /// From here on everything goes through `session`, whose socket is this channel's.
    func encrypt(with session: TLSSession) {
        tls = session
    }

    /// From here on bytes go as they are; nothing is said to the peer.
    func endEncryption() {
        tls = nil
        hasMore = false
        (readNeeds, writeNeeds) = (.readable, .writable)
    }

    /// One step of the handshake: nil when it is done, else what to wait for.
    func handshake() throws(TLSFault) -> Readiness? {
        guard let tls else { return nil }
        pass(readinessTo: tls)
        // A socket just accepted takes bytes before the loop is told so, and an alert has no second chance.
        tls.isSocketWritable = true
        let step = tls.handshake()
        take(readinessFrom: tls)
        switch step {
        case .done:
            // A client's first request may have come together with the end of its handshake.
            hasMore = tls.hasBufferedBytes
            return nil
        case .wantsRead: return .readable
        case .wantsWrite: return .writable
        case .failed(let fault): throw fault
        }
    }

    private func pass(readinessTo tls: TLSSession) {
        tls.isSocketReadable = slot.readiness.contains(.readable)
        tls.isSocketWritable = slot.readiness.contains(.writable)
    }

    private func take(readinessFrom tls: TLSSession) {
        if !tls.isSocketReadable { slot.drained() }
        if !tls.isSocketWritable { slot.filled() }
    }
}
