// What AWS says where it does not do what it was asked: JSON, XML, a page of somebody in between, or nothing.

internal import Gateway
internal import Kernel
internal import Outbound

/// An error's code, and what can safely be taken out of its message. The message itself is repeated nowhere: AWS's validation quotes values in it.
struct ServiceError: Equatable {
    /// Such as `ThrottlingException`, without namespace; nil where none is said.
    var code: String?
    /// Such as `kms:Decrypt`, and on what, and who asked, where permission is denied.
    var action: String?
    var resource: String?
    var identity: String?
    /// Told from the message: the signature was made for another region or service than the endpoint's.
    var isElsewhere = false
    /// Told from the message: AWS's clock and this machine's differ.
    var isClock = false
    /// The value does not fit its tier.
    var isTooLong = false
    /// The parameter has a tier that it cannot leave.
    var isTierFixed = false
    /// It is KMS that says so, through Parameter Store.
    var isKMS = false
    /// The name is one of those that AWS keeps for itself.
    var isReserved = false

    static func read(_ response: OutboundResponse) -> ServiceError {
        let body = response.body.bytes
        var error = ServiceError()
        if let (code, message) = json(body) {
            error.code = code
            if let message { error.look(into: message.bytes) }
        } else {
            error.code = between(body, "<Code>", "</Code>").flatMap { plain(body.extracting($0).copied()) }
            if let message = between(body, "<Message>", "</Message>") { error.look(into: body.extracting(message)) }
        }
        if error.code == nil { error.code = response["x-amzn-errortype"].flatMap { plain(Array($0.utf8)) } }
        if let code = error.code, code.utf8.starts(with: "KMS".utf8) { error.isKMS = true }
        return error
    }

    private mutating func look(into message: RawSpan) {
        action = ServiceError.token(after: "perform: ", in: message)
        resource = ServiceError.token(after: "on resource: ", in: message) ?? ServiceError.token(after: "on the resource: ", in: message)
        identity = ServiceError.token(after: "User: ", in: message)
        isElsewhere = ServiceError.says(["scoped to a valid region", "scoped to correct service", "scoped to a correct service"], message)
        isClock = ServiceError.says(["Signature expired", "Signature not yet current", "RequestTimeTooSkewed", "difference between the request time"], message)
        isTooLong = ServiceError.says(["maximum parameter value size", "maximum parameter value of", "'value' failed to satisfy constraint: Member must have length less"], message)
        isTierFixed = ServiceError.says(["downgrade", "uses the advanced-parameter tier", "uses the advanced parameter tier"], message)
        isKMS = action?.utf8.starts(with: "kms:".utf8) ?? ServiceError.says(["AWSKMS", "AWS KMS", "iphertext refers to", "customer master key", "KMS key"], message)
        isReserved = ServiceError.says(["reserved parameter name", "can't be prefixed with"], message)
    }

    /// A JSON object's code and message.
    private static func json(_ body: RawSpan) -> (code: String?, message: Secret?)? {
        var code: String?
        var message: Secret?
        do throws(NotJSON) {
            var scanner = JSONScanner(body)
            try scanner.expect(UInt8(ascii: "{"))
            var isFirst = true
            while let name = try scanner.nextName(isFirst: &isFirst) {
                guard scanner.next == UInt8(ascii: "\"") else {
                    try scanner.skipValue()
                    continue
                }
                let text = try scanner.string()
                if scanner.says("__type", in: name) || code == nil && (scanner.says("code", in: name) || scanner.says("Code", in: name)) {
                    code = plain(scanner.bytes.extracting(text).copied())
                } else if scanner.says("message", in: name) || scanner.says("Message", in: name) {
                    message = Secret(try scanner.text(in: text))
                }
            }
        } catch {
            return nil
        }
        return (code, message)
    }

    /// `com.amazonaws.ssm#ThrottlingException`, `ThrottlingException:http://…`: the name in it; nil for what is none.
    private static func plain(_ bytes: [UInt8]) -> String? {
        let name = (bytes.split(separator: UInt8(ascii: "#")).last ?? []).prefix { $0 != UInt8(ascii: ":") }
        guard !name.isEmpty, name.count <= 64, name.allSatisfy({ isLetter($0) || $0 == UInt8(ascii: ".") }) else { return nil }
        return String(decoding: name, as: UTF8.self)
    }

    /// What follows `mark` up to a character that no action, resource or region has; a full stop at its end belongs to the sentence.
    private static func token(after mark: StaticString, in text: RawSpan) -> String? {
        guard let start = find(mark, in: text) else { return nil }
        var end = start
        while end < text.byteCount, end - start < 512, isLetter(text[end]) || ":/-_.*+=,@".utf8.contains(text[end]) { end += 1 }
        while end > start, text[end - 1] == UInt8(ascii: ".") || text[end - 1] == UInt8(ascii: ",") { end -= 1 }
        return end > start ? String(decoding: text.extracting(start..<end).copied(), as: UTF8.self) : nil
    }

    private static func between(_ text: RawSpan, _ opening: StaticString, _ closing: StaticString) -> Range<Int>? {
        guard let start = find(opening, in: text), let end = find(closing, in: text.extracting(start..<text.byteCount)) else { return nil }
        return start..<start + end - closing.utf8CodeUnitCount
    }

    private static func says(_ phrases: [StaticString], _ text: RawSpan) -> Bool {
        for phrase in phrases where find(phrase, in: text) != nil { return true }
        return false
    }

    /// Where what follows `wanted` begins.
    private static func find(_ wanted: StaticString, in text: RawSpan) -> Int? {
        let length = wanted.utf8CodeUnitCount
        guard text.byteCount >= length else { return nil }
        for at in 0...text.byteCount - length where text.extracting(at..<at + length).isEqual(to: wanted) { return at + length }
        return nil
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: false
        }
    }
}
