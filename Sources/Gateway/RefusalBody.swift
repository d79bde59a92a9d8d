// The JSON of a refusal: plain, and in JSON-RPC for each era.
//
// The shapes are those of the official Python SDK and are checked against its own types: 2025-11-25's `URLElicitationRequiredError`
// (mcp 1.30.0 `ElicitRequestURLParams` demands `elicitationId`), 2026-07-28's `InputRequiredResult` (mcp_types 2.3.0: `resultType`
// "input_required", `inputRequests` a map from a key of ours to an `elicitation/create` request, no `elicitationId`).

internal import HTTP1
internal import Kernel

enum RefusalBody {
    /// `{"error":{"code","message"}}`; where something is to be connected the message holds the URL.
    static func writePlain(_ refusal: Refusal, into body: ByteBuffer) {
        body.append("{\"error\":{\"code\":\"")
        body.append(refusal.code.rawValue)
        body.append("\",\"message\":")
        body.append(jsonString: message(refusal))
        body.append("}}")
    }

    /// The status of an answer in JSON-RPC: the table's, but 200 where the protocol has a way of its own to send a person somewhere.
    static func status(_ refusal: Refusal, era: ProtocolEra, calls: [JSONRPCGlimpse.Call]) -> Int {
        let asks = calls.contains { outcome(refusal, era: era, call: $0) != .refusal }
        return asks ? 200 : refusal.code.status
    }

    static func write(
        _ refusal: Refusal, era: ProtocolEra, calls: [JSONRPCGlimpse.Call], isBatch: Bool, requestID: RequestID, into body: ByteBuffer
    ) {
        if isBatch { body.append(byte: UInt8(ascii: "[")) }
        for (index, call) in calls.enumerated() {
            if index > 0 { body.append(byte: UInt8(ascii: ",")) }
            body.append("{\"jsonrpc\":\"2.0\",\"id\":")
            body.append(call.id)
            switch outcome(refusal, era: era, call: call) {
            case .refusal:
                writeError(RefusalAnswer.errorCode, refusal, into: body)
                if let connect = refusal.connect {
                    body.append("\"url\":")
                    body.append(jsonString: connect.url)
                    body.append(byte: UInt8(ascii: ","))
                }
                writeErrorEnd(refusal, requestID, into: body)
            case .elicitations:
                writeError(RefusalAnswer.elicitationRequired, refusal, into: body)
                body.append("\"elicitations\":[{\"elicitationId\":\"claviger-")
                requestID.append(to: body)
                // Calls of one batch share a request id, elicitations may not share theirs.
                if index > 0 {
                    body.append(byte: UInt8(ascii: "-"))
                    body.append(decimal: index)
                }
                body.append("\",")
                writeElicitation(refusal, into: body)
                body.append("}],")
                writeErrorEnd(refusal, requestID, into: body)
            case .inputRequired:
                body.append(",\"result\":{\"resultType\":\"input_required\",\"inputRequests\":{\"claviger_connect\":")
                body.append("{\"method\":\"elicitation/create\",\"params\":{")
                writeElicitation(refusal, into: body)
                body.append("}}}}}")
            }
        }
        if isBatch { body.append(byte: UInt8(ascii: "]")) }
    }

    /// What the answer says in words: the code's sentence, and where a credential is to be connected, by whom and where.
    static func message(_ refusal: Refusal) -> String {
        guard let connect = refusal.connect else { return "\(refusal.code.sentence)" }
        let wasRejected = refusal.code == .credentialRejected
        let finding =
            if connect.needsMore {
                "\(connect.serverTitle) needs more rights than were given to it."
            } else if wasRejected {
                "\(connect.serverTitle) did not accept the connected credential."
            } else {
                "No credential for \(connect.serverTitle) is connected."
            }
        let again = wasRejected ? " again" : ""
        return connect.needsAdministrator
            ? "\(finding) An administrator must connect it\(again) at \(connect.url) ; then try once more."
            : "\(finding) Open \(connect.url) to connect it\(again), then try once more."
    }

    private enum Outcome { case refusal, elicitations, inputRequired }

    private static func outcome(_ refusal: Refusal, era: ProtocolEra, call: JSONRPCGlimpse.Call) -> Outcome {
        guard refusal.connect != nil else { return .refusal }
        return switch era {
        case .sessions: .elicitations
        case .stateless: call.mayAskForInput ? .inputRequired : .refusal
        }
    }

    private static func writeError(_ code: Int, _ refusal: Refusal, into body: ByteBuffer) {
        body.append(",\"error\":{\"code\":")
        body.append(decimal: code)
        body.append(",\"message\":")
        body.append(jsonString: message(refusal))
        body.append(",\"data\":{")
    }

    private static func writeErrorEnd(_ refusal: Refusal, _ requestID: RequestID, into body: ByteBuffer) {
        body.append("\"refusal\":\"")
        body.append(refusal.code.rawValue)
        body.append("\",\"request_id\":\"")
        requestID.append(to: body)
        body.append("\"}}}")
    }

    /// The members of an `ElicitRequestURLParams` that both eras have.
    private static func writeElicitation(_ refusal: Refusal, into body: ByteBuffer) {
        body.append("\"mode\":\"url\",\"url\":")
        body.append(jsonString: refusal.connect?.url ?? "")
        body.append(",\"message\":")
        body.append(jsonString: message(refusal))
    }
}

extension ByteBuffer {
    /// `text` as a JSON string, quotes included (RFC 8259, section 7).
    func append(jsonString text: String) {
        append(byte: UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                append(byte: UInt8(ascii: "\\"))
                append(byte: byte)
            case 0..<0x20:
                append("\\u00")
                append(byte: byte < 0x10 ? UInt8(ascii: "0") : UInt8(ascii: "1"))
                append(byte: byte & 0xf < 10 ? byte & 0xf + 48 : byte & 0xf + 87)
            default:
                append(byte: byte)
            }
        }
        append(byte: UInt8(ascii: "\""))
    }
}
