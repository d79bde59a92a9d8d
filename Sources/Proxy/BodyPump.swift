// Moves one body from one channel to another: decodes its framing, writes its own, holds no more than a block each way.

internal import Gateway
internal import HTTP1
internal import Kernel

/// Why a body could not be moved to its end.
enum BodyFault: Error {
    /// The source closed, broke, or sent what is no framing, before the body's end.
    case sourceEnded
    case sourceMalformed(MessageFault)
    /// An event stream of the old transport does not begin as it must.
    case streamRefused(Refusal)
    case sinkBroke
    /// More payload than the limit allows.
    case tooLarge
}

/// One direction of an exchange; not copyable, since it owns a block of the pool. It goes as far as it can without waiting and says on whom it waits then.
struct BodyPump: ~Copyable {
    enum State {
        case waitsForSource
        case waitsForSink
        /// It could go on; others have a turn first.
        case yielded
        case complete
    }

    /// How many block-sized steps are made before others have a turn.
    private static let stepsPerTurn = 16
    /// Room for a chunk's framing, the last chunk, and a line of trailers.
    private static let reserve = 8 << 10

    private var decoder: BodyDecoder
    private let framing: BodyLength
    /// Payload bytes at most.
    private let limit: Int
    /// Built and not yet taken by the sink.
    private var pending: ByteBuffer?
    /// Decoded and not yet taken, at the cursor; they leave the source's block as they are.
    private var owed = 0
    /// Where in the source's bytes decoding goes on; not zero only while they are kept.
    private(set) var cursor: Int
    private(set) var keeps: Bool
    private var isFinished = false
    /// Whether staging stopped for want of room, not of bytes.
    private var isCutShort = false
    /// Payload bytes decoded so far.
    private(set) var payload = 0
    private let rewriter: EndpointRelay?
    /// Of an event stream whose bytes can be looked at.
    private var events: EventEnd?
    /// It ends with the event under way.
    private var isEnding = false

    /// - Parameters:
    ///   - length: the body's framing as it comes in.
    ///   - framing: as it goes out: `exactly` and `untilClose` pass bytes as they are, `chunked` frames them anew.
    ///   - keeping: the source's bytes up to here stay, and so does what is read of the body as long as it fits a block; nil = consumed as it goes.
    ///   - limit: payload bytes at most.
    ///   - head: what goes out before the body; it leaves in one write with the bytes at hand.
    ///   - isEventStream: so that it can be ended between two events.
    init(
        _ length: BodyLength, as framing: BodyLength, keeping: Int? = nil, limit: Int = .max, after head: ByteBuffer,
        rewriter: EndpointRelay? = nil, isEventStream: Bool = false
    ) {
        decoder = BodyDecoder(length)
        self.framing = framing
        self.limit = limit
        cursor = keeping ?? 0
        keeps = keeping != nil
        pending = head
        self.rewriter = rewriter
        if isEventStream { events = EventEnd() }
    }

    /// Of no body: nothing moves.
    init() {
        decoder = BodyDecoder(.none)
        framing = .none
        limit = 0
        cursor = 0
        keeps = false
        isFinished = true
        rewriter = nil
    }

    /// Whether everything has been given to the sink.
    var isSent: Bool { isFinished && pending == nil && owed == 0 }

    /// Whether it holds nothing that has to be given up.
    var isSpent: Bool { pending == nil && rewriter == nil }

    /// Grows with every byte that moved, in or out.
    private(set) var progress = 0

    /// Whether everything has been received, if not yet sent.
    var isDecoded: Bool { decoder.isComplete && owed == 0 }

    mutating func advance(from source: Channel, to sink: Channel, buffers: BufferPool) throws(BodyFault) -> State {
        for _ in 0..<BodyPump.stepsPerTurn {
            try stage(from: source, buffers: buffers)
            let leavesInPlace = owed > 0
            if let state = try flush(from: source, to: sink, buffers: buffers) { return state }
            if isFinished { return .complete }
            // What left in place may have been the body's end: only the decoder knows.
            if isCutShort || leavesInPlace { continue }
            if let state = try fill(from: source) { return state }
        }
        return .yielded
    }

    /// Decodes what is at hand: into the block that goes out, or, where bytes pass as they are and none is begun, in place.
    private mutating func stage(from source: Channel, buffers: BufferPool) throws(BodyFault) {
        isCutShort = false
        guard !isFinished, owed == 0 else { return }
        let inbox = source.inbox
        while true {
            let available = source.count - cursor
            var visible = available
            if isStaged {
                // The block that goes out does not grow: what has no room in it has its turn after the next write.
                visible = min(available, (pending?.space ?? buffers.blockSize) - BodyPump.reserve)
                isCutShort = visible < available
                guard visible > BodyPump.reserve || !isCutShort else { return }
            }
            let step: BodyStep
            do throws(MessageFault) {
                step = try decoder.next(inbox.bytes.extracting(cursor..<cursor + max(visible, 0)))
            } catch {
                throw .sourceMalformed(error)
            }
            switch step {
            case .payload(let length):
                payload += length
                guard payload <= limit else { throw .tooLarge }
                let n = events == nil ? length : lengthToPass(of: inbox.bytes.extracting(cursor..<cursor + length))
                if try !put(n, from: source, buffers: buffers) { owed = n }
                if isEnding, events?.isBetweenEvents == true { finish(buffers) }
                if isFinished || owed > 0 { return }
            case .framing(let n):
                skip(n, of: source)
            case .needMore:
                return
            case .complete:
                finish(buffers)
                return
            }
        }
    }

    /// How much of an event stream's next bytes is to go out: all, or up to the end of the last event that is to.
    private mutating func lengthToPass(of bytes: RawSpan) -> Int {
        let n = isEnding ? events?.distance(in: bytes) ?? bytes.byteCount : bytes.byteCount
        events?.pass(bytes.extracting(0..<n))
        return n
    }

    /// Ends an event stream with the event under way, as if its source had: at once where there is none.
    /// - Returns: whether it can; other bodies cannot be cut short without looking complete.
    mutating func endBetweenEvents(_ buffers: BufferPool) -> Bool {
        guard let events else { return false }
        if isEnding || isFinished { return true }
        isEnding = true
        if events.isBetweenEvents { finish(buffers) }
        return true
    }

    /// Whether it has ended, or will, before its source.
    var endsEarly: Bool { isEnding }

    /// Copies `n` payload bytes at the cursor behind what is pending. False where they are to leave in place.
    private mutating func put(_ n: Int, from source: Channel, buffers: BufferPool) throws(BodyFault) -> Bool {
        let inbox = source.inbox
        if isStaged {
            let out = pending ?? buffers.take()
            pending = out
            let run = inbox.bytes.extracting(cursor..<cursor + n)
            if let rewriter {
                try write(rewriter.passing(run), into: out)
            } else {
                out.append(chunkOf: run)
            }
        } else {
            guard let pending, pending.space >= n else { return false }
            pending.append(inbox.bytes.extracting(cursor..<cursor + n))
        }
        skip(n, of: source)
        return true
    }

    private var isChunked: Bool {
        if case .chunked = framing { return true }
        return false
    }

    /// Whether payload never leaves in place.
    private var isStaged: Bool { isChunked || rewriter != nil }

    private func write(_ rewritten: ByteBuffer, into out: ByteBuffer) {
        if isChunked { out.append(chunkOf: rewritten.bytes) } else { out.append(rewritten.bytes) }
        rewritten.clear()
    }

    private mutating func finish(_ buffers: BufferPool) {
        isFinished = true
        guard isChunked else { return }
        let out = pending ?? buffers.take()
        pending = out
        out.appendLastChunk()
    }

    /// Sends what is pending and what is owed; nil when nothing is left.
    private mutating func flush(from source: Channel, to sink: Channel, buffers: BufferPool) throws(BodyFault) -> State? {
        if let out = pending.take() {
            while !out.isEmpty {
                switch sink.send(out.bytes) {
                case .bytes(let n):
                    out.consume(n)
                    progress &+= n
                case .notYet:
                    pending = consume out
                    return .waitsForSink
                case .failed:
                    pending = consume out
                    throw .sinkBroke
                }
            }
            buffers.give(out)
        }
        let inbox = source.inbox
        while owed > 0 {
            switch sink.send(inbox.bytes.extracting(cursor..<cursor + owed)) {
            case .bytes(let n):
                owed -= n
                progress &+= n
                skip(n, of: source)
            case .notYet: return .waitsForSink
            case .failed: throw .sinkBroke
            }
        }
        return nil
    }

    /// Receives more; nil when something came.
    private mutating func fill(from source: Channel) throws(BodyFault) -> State? {
        // What is kept has filled the block: from here on the body is too large to be kept.
        if keeps, source.isFull { letGo(of: source) }
        switch source.receive() {
        case .bytes(let n):
            progress &+= n
            return nil
        case .notYet: return .waitsForSource
        case .end:
            do throws(MessageFault) {
                try decoder.closed()
            } catch {
                throw .sourceEnded
            }
            return nil
        case .failed: throw .sourceEnded
        }
    }

    private mutating func skip(_ n: Int, of source: Channel) {
        if keeps { cursor += n } else { source.consume(n) }
    }

    /// Stops keeping: what has been moved leaves the source.
    mutating func letGo(of source: Channel) {
        guard keeps else { return }
        source.consume(cursor)
        cursor = 0
        keeps = false
    }
}
