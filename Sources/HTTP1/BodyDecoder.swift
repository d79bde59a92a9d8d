// Telling a body's payload from its framing, piece by piece, without copying and without holding anything back.

internal import Kernel

/// What the next bytes of a message are.
package enum BodyStep: Equatable, Sendable {
    /// So many bytes of payload, at least one, at the span's start.
    case payload(Int)
    /// So many bytes of framing, at least one, at the span's start: to drop.
    case framing(Int)
    /// Nothing can be said before more bytes are behind these.
    case needMore
    /// The body is over; the bytes are the next message's.
    case complete
}

/// Reads one body (RFC 9112, sections 6 and 7). Chunk extensions and trailers are checked and dropped.
package struct BodyDecoder: Sendable {
    /// Bytes of extensions taken in one chunk, and in all chunks of a body.
    package static let mostExtension = 256
    package static let mostExtensions = 16 << 10
    /// Bytes and lines of trailers taken. A buffer with room for `mostTrailer` bytes never stands in a body's way.
    package static let mostTrailer = 4 << 10
    package static let mostTrailerLines = 32

    private enum State: Sendable {
        /// Payload left by Content-Length; at least one byte.
        case length(Int)
        case untilClose
        /// In a chunk's size line: the size so far and its digits.
        case size(Int, digits: Int)
        case `extension`(size: Int)
        case sizeLineFeed(size: Int)
        /// Payload left in a chunk; at least one byte.
        case chunk(Int)
        case chunkReturn
        case chunkLineFeed
        case trailers
        case complete
    }

    private var state: State
    /// Bytes of payload that `next` spoke of so far: what a limit on bodies is held against.
    package private(set) var payloadCount = 0
    private var chunkExtension = 0
    private var extensions = 0
    private var trailerBytes = 0
    private var trailerLines = 0
    private var trailer = HeadScan()

    package init(_ length: BodyLength) {
        state =
            switch length {
            case .none, .exactly(...0): .complete
            case .exactly(let count): .length(count)
            case .chunked: .size(0, digits: 0)
            case .untilClose: .untilClose
            }
    }

    /// Whether the whole body was spoken of, its framing included.
    package var isComplete: Bool {
        if case .complete = state { true } else { false }
    }

    /// Says what the next bytes are. The caller takes exactly as many as it is told from the front and comes back with the rest;
    /// after `needMore`, with the same bytes and more. Who can take only n bytes of payload shows only n bytes.
    /// - Throws: `malformed`, as soon as the byte is seen that makes it so.
    package mutating func next(_ bytes: RawSpan) throws(MessageFault) -> BodyStep {
        if case .complete = state { return .complete }
        guard bytes.byteCount > 0 else { return .needMore }
        switch state {
        case .complete: return .complete
        case .untilClose: return payload(bytes.byteCount)
        case .length(let left):
            let count = min(left, bytes.byteCount)
            state = count == left ? .complete : .length(left &- count)
            return payload(count)
        case .chunk(let left):
            let count = min(left, bytes.byteCount)
            state = count == left ? .chunkReturn : .chunk(left &- count)
            return payload(count)
        case .trailers: return try trailerLine(bytes)
        case .size, .extension, .sizeLineFeed, .chunkReturn, .chunkLineFeed: return try framing(bytes)
        }
    }

    /// The peer closed its side. Ends a body that ends so.
    /// - Throws: `truncated` where more had to come.
    package mutating func closed() throws(MessageFault) {
        switch state {
        case .complete: return
        case .untilClose: state = .complete
        default: throw .truncated
        }
    }

    private mutating func payload(_ count: Int) -> BodyStep {
        payloadCount = payloadCount.addingReportingOverflow(count).overflow ? .max : payloadCount &+ count
        return .payload(count)
    }

    /// All framing at hand, up to payload or trailers.
    private mutating func framing(_ bytes: RawSpan) throws(MessageFault) -> BodyStep {
        for offset in 0..<bytes.byteCount {
            switch state {
            case .length, .untilClose, .chunk, .trailers, .complete: return .framing(offset)
            default: try take(bytes[offset])
            }
        }
        return .framing(bytes.byteCount)
    }

    private mutating func take(_ byte: UInt8) throws(MessageFault) {
        switch state {
        case .size(let size, let digits): state = try afterSize(byte, size, digits)
        case .extension(let size): state = try afterExtension(byte, size)
        case .sizeLineFeed(let size):
            guard byte == 0x0A else { throw .malformed(.bareCarriageReturn) }
            chunkExtension = 0
            state = size == 0 ? .trailers : .chunk(size)
        case .chunkReturn:
            guard byte == 0x0D else { throw .malformed(byte == 0x0A ? .bareLineFeed : .chunkEnd) }
            state = .chunkLineFeed
        case .chunkLineFeed:
            guard byte == 0x0A else { throw .malformed(.bareCarriageReturn) }
            state = .size(0, digits: 0)
        case .length, .untilClose, .chunk, .trailers, .complete: return
        }
    }

    /// RFC 9112, section 7.1: `1*HEXDIG`, then an extension or the line's end. No sign, no prefix, no blank.
    private func afterSize(_ byte: UInt8, _ size: Int, _ digits: Int) throws(MessageFault) -> State {
        if byte.isHexDigit {
            let digit = Int(byte.isDigit ? byte &- 0x30 : byte.foldedASCII &- 0x57)
            let (larger, over) = size.multipliedReportingOverflow(by: 16)
            guard !over, digits < 16, larger <= BodyLength.most - digit else { throw .malformed(.chunkSize) }
            return .size(larger + digit, digits: digits + 1)
        }
        guard digits > 0 else { throw .malformed(byte == 0x0A ? .bareLineFeed : .chunkSize) }
        switch byte {
        case 0x0D: return .sizeLineFeed(size: size)
        case UInt8(ascii: ";"): return .extension(size: size)
        case 0x0A: throw .malformed(.bareLineFeed)
        default: throw .malformed(.chunkSize)
        }
    }

    /// RFC 9112, section 7.1.1: not understood, so only kept within bounds and free of what another parser may stop at.
    private mutating func afterExtension(_ byte: UInt8, _ size: Int) throws(MessageFault) -> State {
        if byte == 0x0D { return .sizeLineFeed(size: size) }
        guard byte != 0x0A else { throw .malformed(.bareLineFeed) }
        chunkExtension += 1
        extensions += 1
        guard byte == 0x09 || (0x20..<0x7F).contains(byte), chunkExtension <= Self.mostExtension,
            extensions <= Self.mostExtensions
        else { throw .malformed(.chunkExtension) }
        return .extension(size: size)
    }

    /// RFC 9112, section 7.1.2. A whole line at a time, for its name is looked at.
    private mutating func trailerLine(_ bytes: RawSpan) throws(MessageFault) -> BodyStep {
        let found: LineStep
        do throws(MessageFault) {
            found = try trailer.nextLine(in: bytes, bound: Self.mostTrailer - trailerBytes)
        } catch {
            throw error == .headTooLarge ? .malformed(.trailers) : error
        }
        switch found {
        case .needMore: return .needMore
        case .blank:
            state = .complete
            return .framing(2)
        case .field:
            trailerLines += 1
            guard trailerLines <= Self.mostTrailerLines else { throw .malformed(.trailers) }
            let name = FoldedName(bytes, from: trailer.line, to: trailer.colon)
            guard !FieldTable.known.id(of: name).isForbiddenAsTrailer else { throw .malformed(.forbiddenTrailer) }
            trailer.advance()
            let count = trailer.cursor
            trailer = HeadScan()
            trailerBytes += count
            return .framing(count)
        }
    }
}
