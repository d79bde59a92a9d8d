// What the tests hold against each other: a head read into values that own their bytes, whole or in pieces.

internal import HTTP1
internal import Kernel

/// A header field as read.
struct ReadField: Equatable {
    var id: FieldID
    var name: String
    var value: String
    var line: String
    var hasUnderscore: Bool
}

/// A request's head as read.
struct ReadRequest: Equatable {
    var method: Method
    var methodName: String
    var target: String
    var path: String
    var query: String?
    var authority: String?
    var host: String
    var minorVersion: Int
    var length: Int
    var body: BodyLength
    var keepAlive: Bool
    var expectsContinue: Bool
    var fields: [ReadField]
    var nominated: [String]
}

/// A response's head as read.
struct ReadResponse: Equatable {
    var status: Int
    var reason: String
    var minorVersion: Int
    var length: Int
    var body: BodyLength
    var keepAlive: Bool
    var keepAliveTimeout: Int?
    var isInterim: Bool
    var fields: [ReadField]
    var nominated: [String]
}

/// What came of reading: a value, nothing yet, or a fault.
enum Reading<Value: Equatable>: Equatable {
    case read(Value)
    case notYet
    case fault(MessageFault)
}

/// Bytes as text, one character a byte.
func text(_ bytes: RawSpan) -> String {
    String(String.UnicodeScalarView(bytes.copied().map { Unicode.Scalar($0) }))
}

/// Text whose characters are bytes: U+0080…U+00FF stand for the bytes 0x80…0xFF, characters beyond for their UTF-8.
func bytes(_ text: String) -> [UInt8] {
    text.unicodeScalars.flatMap { $0.value < 256 ? [UInt8($0.value)] : Array(String($0).utf8) }
}

private func read(_ fields: [FieldLine], _ bytes: RawSpan) -> [ReadField] {
    var result: [ReadField] = []
    for field in fields {
        result.append(
            ReadField(
                id: field.id, name: text(bytes[field.name]), value: text(bytes[field.value]),
                line: text(bytes[field.line]), hasUnderscore: field.hasUnderscore))
    }
    return result
}

private func read(_ ranges: [ByteRange], _ bytes: RawSpan) -> [String] {
    var result: [String] = []
    for range in ranges { result.append(text(bytes[range])) }
    return result
}

/// Reads a request's head: first `sizes[0]` bytes of it, then `sizes[1]`, at last all of them.
func readRequest(_ message: [UInt8], at sizes: [Int] = [], limits: HeadLimits = HeadLimits()) -> Reading<ReadRequest> {
    var head = RequestHead()
    var scan = HeadScan()
    do {
        for size in sizes + [message.count] {
            let bytes = message.span.raw.extracting(0..<size)
            guard try head.parse(bytes, scan: &scan, limits: limits) else { continue }
            var query: String?
            if let range = head.query { query = text(bytes[range]) }
            var authority: String?
            if let range = head.authority { authority = text(bytes[range]) }
            return .read(
                ReadRequest(
                    method: head.method, methodName: text(bytes[head.methodName]), target: text(bytes[head.target]),
                    path: text(bytes[head.path]), query: query, authority: authority, host: text(bytes[head.host]),
                    minorVersion: head.minorVersion, length: head.length, body: head.body, keepAlive: head.keepAlive,
                    expectsContinue: head.expectsContinue, fields: read(head.fields, bytes),
                    nominated: read(head.nominated, bytes)))
        }
        return .notYet
    } catch {
        return .fault(error)
    }
}

/// Reads a response's head, in pieces like `readRequest`.
func readResponse(
    _ message: [UInt8], at sizes: [Int] = [], limits: HeadLimits = HeadLimits(), answering method: Method = .post
) -> Reading<ReadResponse> {
    var head = ResponseHead()
    var scan = HeadScan()
    do {
        for size in sizes + [message.count] {
            let bytes = message.span.raw.extracting(0..<size)
            guard try head.parse(bytes, scan: &scan, limits: limits, answering: method) else { continue }
            return .read(
                ReadResponse(
                    status: head.status, reason: text(bytes[head.reason]), minorVersion: head.minorVersion,
                    length: head.length, body: head.body, keepAlive: head.keepAlive,
                    keepAliveTimeout: head.keepAliveTimeout, isInterim: head.isInterim,
                    fields: read(head.fields, bytes), nominated: read(head.nominated, bytes)))
        }
        return .notYet
    } catch {
        return .fault(error)
    }
}

/// What came of reading a body: its payload and how many bytes the message took.
struct ReadBody: Equatable {
    var payload: [UInt8]
    var length: Int
}

/// Reads a body whose bytes arrive up to `sizes[0]`, `sizes[1]`, …, at last all of them.
func readBody(_ message: [UInt8], _ length: BodyLength = .chunked, at sizes: [Int] = [], closes: Bool = false) -> Reading<ReadBody> {
    var decoder = BodyDecoder(length)
    var payload: [UInt8] = []
    var taken = 0
    do {
        for size in sizes + [message.count] {
            arrival: while true {
                let bytes = message.span.raw.extracting(taken..<size)
                switch try decoder.next(bytes) {
                case .payload(let count):
                    payload += bytes.extracting(0..<count).copied()
                    taken += count
                case .framing(let count): taken += count
                case .needMore: break arrival
                case .complete: return .read(ReadBody(payload: payload, length: taken))
                }
            }
        }
        guard closes else { return .notYet }
        try decoder.closed()
        return .read(ReadBody(payload: payload, length: taken))
    } catch {
        return .fault(error)
    }
}
