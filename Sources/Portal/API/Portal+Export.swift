// Moving credentials from store to store: the API's side. Values pass sealed under a key of the caller's, never in the clear.

internal import Credentials
internal import Gateway
internal import HTTPTypes
internal import Hummingbird
internal import Kernel

extension Portal {
    private static let limit = 1 << 20

    func references() -> Response {
        .patient {
            do throws(DepositFault) {
                return ReferenceList(references: try await desk.references().map(\.path), stopped: nil, lasting: nil)
            } catch {
                return ReferenceList(references: [], stopped: error.description, lasting: error.isLasting ? true : nil)
            }
        }
    }

    func export(_ request: Request, by principal: Principal) async throws(APIFault) -> Response {
        let given = try await TransferRequest(secrets(request, limit: Portal.limit))
        let references = try given.lines("references").map { line throws(APIFault) in
            guard let reference = Reference(path: String(decoding: line, as: UTF8.self)) else {
                throw APIFault(.badRequest, "bad_request", "One of the references is none.")
            }
            return reference
        }
        return .patient {
            do throws(DepositFault) {
                let batch = try await desk.export(references, under: given.key)
                do throws(APIFault) { try await moved(.credentialsExported, batch.lines.count, by: principal) } catch {
                    return ExportAnswer(lines: [], gone: 0, unreadable: [], stopped: error.message, lasting: nil)
                }
                return ExportAnswer(
                    lines: batch.lines.map { String(decoding: $0, as: UTF8.self) }, gone: batch.gone.count,
                    unreadable: batch.unreadable.map { .init(reference: $0.reference.path, message: $0.words) }, stopped: nil, lasting: nil)
            } catch {
                return ExportAnswer(lines: [], gone: 0, unreadable: [], stopped: error.description, lasting: error.isLasting ? true : nil)
            }
        }
    }

    func takeIn(_ request: Request, by principal: Principal) async throws(APIFault) -> Response {
        let given = try await TransferRequest(secrets(request, limit: Portal.limit))
        let (lines, isReplacing) = (try given.lines("lines"), try given.isReplacing())
        return .patient {
            let batch = await desk.take(lines, under: given.key, replacing: isReplacing)
            var stopped = batch.stopped?.description
            do throws(APIFault) {
                try await moved(.credentialsImported, batch.outcomes.count { $0.outcome == .imported }, by: principal)
            } catch {
                stopped = stopped ?? error.message
            }
            return ImportAnswer(
                results: batch.outcomes.map { .init($0.reference, $0.outcome) }, stopped: stopped, lasting: batch.stopped?.isLasting == true ? true : nil)
        }
    }

    private func moved(_ action: AuditAction, _ count: Int, by principal: Principal) async throws(APIFault) {
        let entry = principal.entry(action, at: wallClock(), detail: "\(count)")
        try await asking { try await state.append(entry) }
    }
}

/// The body of an export or import: a key and lines, never a value in the clear.
private struct TransferRequest: Sendable {
    let key: MasterKey
    private let fields: [FieldName: Secret]

    init(_ fields: [FieldName: Secret]) throws(APIFault) {
        guard let name = FieldName("key"), let text = fields[name] else { throw APIFault(.badRequest, "bad_request", "The body has no `key`.") }
        do throws(StoreFault) { key = try MasterKey(text, from: "key") } catch {
            throw APIFault(.unprocessableContent, "invalid_values", "The key is 32 bytes, written as 64 hexadecimal digits.")
        }
        self.fields = fields
    }

    func lines(_ field: String) throws(APIFault) -> [[UInt8]] {
        guard let name = FieldName(field), let text = fields[name] else { throw APIFault(.badRequest, "bad_request", "The body has no `\(field)`.") }
        return text.bytes.copied().split(separator: UInt8(ascii: "\n")).map(Array.init)
    }

    func isReplacing() throws(APIFault) -> Bool {
        guard let name = FieldName("replace"), let text = fields[name] else { return false }
        switch String(decoding: text.bytes.copied(), as: UTF8.self) {
        case "yes": return true
        case "no": return false
        default: throw APIFault(.badRequest, "bad_request", "`replace` is `yes` or `no`.")
        }
    }
}
