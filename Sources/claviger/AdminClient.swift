// How a command asks the daemon: over admin.sock, with the API's errors turned into the contract's exit codes.

internal import Curl
internal import FoundationEssentials
internal import Kernel
internal import Portal

struct AdminClient {
    let place: RuntimePlace
    /// How long an answer may take.
    var patience = Duration.seconds(30)

    /// - Parameter body: sent as JSON; the caller's to wipe.
    /// - Returns: the body of an answer of 200 or 204.
    /// - Throws: exit code 69 where the daemon is not reachable, else 1 with the daemon's sentence.
    @discardableResult
    func ask(_ method: String, _ path: String, query: [(String, String)] = [], body: RawSpan? = nil) throws(CommandFault) -> [UInt8] {
        let answer = try answer(method, path, query: query, body: body)
        guard answer.status < 300 else { throw AdminClient.fault(answer) }
        return answer.body
    }

    /// - Returns: whatever the daemon answered.
    /// - Throws: exit code 69 where the daemon is not reachable.
    func answer(_ method: String, _ path: String, query: [(String, String)] = [], body: RawSpan? = nil) throws(CommandFault) -> CurlAnswer {
        let pairs = query.map { "\($0)=\(AdminClient.encoded($1))" }
        let target = "/api/v1/" + path + (pairs.isEmpty ? "" : "?" + pairs.joined(separator: "&"))
        do throws(CurlFault) {
            return try CurlRequest(socket: place.adminSocket, method: method, target: target, timeout: patience).perform(body: body)
        } catch {
            throw AdminClient.fault(error, place)
        }
    }

    /// What a GET is answered, given to `take` piece by piece.
    /// - Throws: as `ask`, and what `take` throws.
    func download(_ path: String, _ take: @escaping (RawSpan) throws(CommandFault) -> Void) throws(CommandFault) {
        var failed: CommandFault?
        let answer: CurlAnswer
        do throws(CurlFault) {
            answer = try CurlRequest(socket: place.adminSocket, method: "GET", target: "/api/v1/" + path, timeout: patience).download { piece in
                do throws(CommandFault) { try take(piece) } catch { failed = error }
                return failed == nil
            }
        } catch {
            throw failed ?? AdminClient.fault(error, place)
        }
        guard answer.status < 300 else { throw AdminClient.fault(answer) }
    }

    /// - Throws: as `ask`; 1 where the answer is not what this version expects.
    func ask<Value: Decodable>(
        for type: Value.Type, _ path: String, method: String = "GET", query: [(String, String)] = [], body: RawSpan? = nil
    ) throws(CommandFault) -> Value {
        let answer = try ask(method, path, query: query, body: body)
        guard let value = try? JSONDecoder().decode(type, from: Data(answer)) else {
            throw .notUnderstood
        }
        return value
    }

    /// As `ask(for:)`, with a body that holds no secret.
    func ask<Value: Decodable>(for type: Value.Type, _ path: String, method: String, sending order: some Encodable) throws(CommandFault) -> Value {
        // Our own shapes are text and numbers, which always encode.
        let body = Array((try? JSONEncoder().encode(order)) ?? Data())
        return try ask(for: type, path, method: method, body: body.span.raw)
    }

    private static func fault(_ fault: CurlFault, _ place: RuntimePlace) -> CommandFault {
        switch fault.kind {
        case .unreachable:
            CommandFault(
                kind: .unreachable,
                line: "no daemon at \(place.adminSocket): start it, or name its directory with --runtime; its group claviger may connect")
        case .timedOut: .failed("the daemon at \(place.adminSocket) took the request and did not answer in time: look at its log")
        case .invalid, .unresolved, .untrusted, .broken, .tooLarge, .other:
            CommandFault(kind: .unreachable, line: "the daemon at \(place.adminSocket) could not be asked: \(fault.words)")
        }
    }

    static func fault(_ answer: CurlAnswer) -> CommandFault {
        guard let body = try? JSONDecoder().decode(ErrorBody.self, from: Data(answer.body)) else {
            return .failed("the daemon answered \(answer.status): look at its log")
        }
        return .failed(body.error.message)
    }

    /// Everything but RFC 3986's unreserved characters, percent-encoded.
    static func encoded(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = Array("0123456789ABCDEF")
                result += "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
            }
        }
        return result
    }
}

extension CommandFault {
    static let notUnderstood = failed("the daemon's answer is not understood: is it of another version? restart it")
}

enum JSONText {
    /// In one line, for what is read as it comes.
    static func line(_ value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: (try? encoder.encode(value)) ?? Data(), as: UTF8.self)
    }

    static func of(_ value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        // Our own shapes are text and numbers, which always encode.
        return String(decoding: (try? encoder.encode(value)) ?? Data(), as: UTF8.self)
    }
}
