// What holds for every message whatsoever. The mutation tests and the fuzz targets ask the same questions.

internal import HTTP1
internal import Kernel

/// Each function says what does not hold of `message`, or nil. `cuts` are lengths at which it arrives in pieces.
enum Properties {
    static func request(_ message: [UInt8], cuts: [Int]) -> String? {
        let whole = readRequest(message)
        if let split = pieces(message, cuts, whole, { readRequest(message, at: $0) }) { return split }
        let plain = PlainReading.request(message)
        switch whole {
        case .fault(.methodNotAllowed), .fault(.expectationFailed): return plain == nil ? "judged before it was known to be sound" : nil
        case .fault(.lineTooLong), .fault(.headTooLarge): return message.count < 100 ? "small, and too large" : nil
        case .fault(let fault): return plain == nil ? nil : "sound, and refused: \(fault)"
        case .notYet: return plain == nil ? nil : "whole, and not read"
        case .read(let head):
            guard let plain else { return "unsound, and read" }
            guard bytes(head.methodName) == plain.firstLine[0], bytes(head.target) == plain.firstLine[1] else { return "another request line" }
            guard head.length == plain.length, head.body == plain.body else { return "another framing" }
            guard head.body != .untilClose else { return "a request until close" }
            if let fields = same(head.fields, plain.fields) { return fields }
            return rewritten(head)
        }
    }

    static func response(_ message: [UInt8], cuts: [Int]) -> String? {
        let whole = readResponse(message)
        if let split = pieces(message, cuts, whole, { readResponse(message, at: $0) }) { return split }
        let plain = PlainReading.response(message)
        switch whole {
        case .fault(.lineTooLong), .fault(.headTooLarge): return message.count < 100 ? "small, and too large" : nil
        case .fault(let fault): return plain == nil ? nil : "sound, and refused: \(fault)"
        case .notYet: return plain == nil ? nil : "whole, and not read"
        case .read(let head):
            guard let plain else { return "unsound, and read" }
            guard bytes(String(head.status)) == plain.firstLine[1], bytes(head.reason) == plain.firstLine[2] else { return "another status line" }
            guard head.length == plain.length, head.body == plain.body else { return "another framing" }
            if head.keepAlive, head.body == .untilClose || head.status == 101 { return "kept alive, and cannot be" }
            if let fields = same(head.fields, plain.fields) { return fields }
            return rewritten(head)
        }
    }

    static func chunkedBody(_ message: [UInt8], cuts: [Int]) -> String? {
        let whole = readBody(message)
        if let split = pieces(message, cuts, whole, { readBody(message, at: $0) }) { return split }
        let plain = PlainReading.chunked(message)
        guard case .read(let body) = whole else { return plain == nil ? nil : "sound, and not read" }
        guard let plain else { return "unsound, and read" }
        guard body.payload == plain.payload, body.length == plain.length else { return "another body" }
        let buffer = ByteBuffer(capacity: 16)
        buffer.append(chunkOf: body.payload.span.raw)
        buffer.appendLastChunk()
        let again = readBody(buffer.bytes.copied())
        return again == .read(ReadBody(payload: body.payload, length: buffer.count)) ? nil : "written again, another body"
    }

    /// Byte by byte, in two pieces at each cut, in pieces at all cuts: what was read of the whole is read.
    private static func pieces<Value>(
        _ message: [UInt8], _ cuts: [Int], _ whole: Reading<Value>, _ read: ([Int]) -> Reading<Value>
    ) -> String? {
        let cuts = cuts.filter { $0 <= message.count }.sorted()
        guard read(cuts) == whole else { return "in pieces at \(cuts), something else" }
        for cut in cuts where read([cut]) != whole { return "in two pieces at \(cut), something else" }
        return read(Array(0...message.count)) == whole ? nil : "byte by byte, something else"
    }

    private static func same(_ fields: [ReadField], _ plain: [PlainField]) -> String? {
        guard fields.count == plain.count else { return "more or fewer fields" }
        for (field, plain) in zip(fields, plain) {
            guard bytes(field.name.lowercased()) == plain.name, bytes(field.value) == plain.value else { return "another field" }
            guard field.hasUnderscore == field.name.contains("_") else { return "an underscore unseen" }
            let line = bytes(field.line)
            guard line.suffix(2) == [13, 10], line.dropLast(2).allSatisfy({ $0 != 13 && $0 != 10 && $0 != 0 }) else { return "a line that is not one" }
        }
        return nil
    }

    /// A head made of what was read, its lines taken as they are, reads the same.
    private static func rewritten(_ head: ReadRequest) -> String? {
        let text = "\(head.methodName) \(head.target) HTTP/1.\(head.minorVersion)\r\n" + head.fields.map(\.line).joined() + "\r\n"
        guard case .read(let again) = readRequest(bytes(text)) else { return "written again, not read" }
        return again == head ? nil : "written again, something else"
    }

    private static func rewritten(_ head: ReadResponse) -> String? {
        let text = "HTTP/1.\(head.minorVersion) \(head.status) \(head.reason)\r\n" + head.fields.map { "\($0.name):\($0.value)\r\n" }.joined() + "\r\n"
        guard case .read(let again) = readResponse(bytes(text)) else { return "written again, not read" }
        guard again.body == head.body, again.keepAlive == head.keepAlive, again.reason == head.reason, again.nominated == head.nominated
        else { return "written again, something else" }
        return again.fields.map(\.value) == head.fields.map(\.value) ? nil : "written again, other fields"
    }
}
