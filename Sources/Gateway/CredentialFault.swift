// Why a value may not be injected: found at deposit, where a person can mend it, and again before every rendering.

internal import Kernel

/// Which field, and what is wrong with it. Says nothing of the value itself.
package struct CredentialFault: Error, Hashable, Sendable {
    package enum Problem: Hashable, Sendable {
        case missing
        case empty
        case tooLong
        /// CR, LF, NUL, tab or another control character: it would end a line or a string.
        case controlCharacter
        /// A byte from 0x80 on, which header fields have no agreed meaning for (RFC 9110, section 5.5: obs-text).
        case notASCII
        /// The recipient would trim it away.
        case surroundingSpace
        /// A slash or a backslash: it would make segments.
        case slash
        /// `.` or `..`, alone or together with the path around it.
        case dotSegment
        /// The server's `pattern` for the field does not match.
        case pattern
        /// The server has no such field.
        case unknownField
    }

    package let field: FieldName
    package let problem: Problem

    package init(field: FieldName, problem: Problem) {
        self.field = field
        self.problem = problem
    }

    /// For the person who deposits: what is wrong and what would be right.
    package var sentence: String {
        switch problem {
        case .missing: "\(field) is missing."
        case .empty: "\(field) is empty."
        case .tooLong: "\(field) is longer than \(CredentialFault.longest) bytes."
        case .controlCharacter: "\(field) contains a line break or another control character; paste the value alone."
        case .notASCII: "\(field) contains a character that a header cannot carry; only ASCII is allowed."
        case .surroundingSpace: "\(field) begins or ends with a space; paste the value alone."
        case .slash: "\(field) contains a slash or a backslash, which a part of a path cannot."
        case .dotSegment: "\(field) would be a dot segment of the path; this cannot be a key."
        case .pattern: "\(field) does not have the form this server's keys have."
        case .unknownField: "\(field) is not a field of this server."
        }
    }

    /// Of one value, in bytes: more than any header line that servers take.
    static let longest = 8192
}

extension RenderedCredential {
    /// What is wrong with values that somebody wants to deposit for `server`; empty where they can be rendered.
    ///
    /// - Parameter matches: whether the whole value matches a field's `pattern`; asked only for values that are otherwise good.
    package static func problems(
        with values: [FieldName: Secret], for server: Server, matches: (_ pattern: String, _ value: Secret) -> Bool
    ) -> [CredentialFault] {
        var found: [CredentialFault] = []
        for name in values.keys.sorted() where !server.fields.contains(where: { $0.name == name }) {
            found.append(CredentialFault(field: name, problem: .unknownField))
        }
        for field in server.fields {
            do {
                let value = try checked(field.name, in: values, for: server.injector)
                if let pattern = field.pattern, !matches(pattern, value) { found.append(CredentialFault(field: field.name, problem: .pattern)) }
            } catch {
                found.append(error)
            }
        }
        // What only the whole shows: a segment that literal and value make together.
        if found.isEmpty {
            do { _ = try render(values, for: server) } catch { found.append(error) }
        }
        return found
    }

    /// The field's value where the injector may carry it.
    static func checked(_ field: FieldName, in values: [FieldName: Secret], for injector: Injector) throws(CredentialFault) -> Secret {
        guard let value = values[field] else { throw CredentialFault(field: field, problem: .missing) }
        if let problem = problem(of: value.bytes, for: injector) { throw CredentialFault(field: field, problem: problem) }
        return value
    }

    private static func problem(of value: RawSpan, for injector: Injector) -> CredentialFault.Problem? {
        guard value.byteCount > 0 else { return .empty }
        guard value.byteCount <= CredentialFault.longest else { return .tooLong }
        for at in 0..<value.byteCount {
            let byte = value[at]
            if byte < 0x20 || byte == 0x7f { return .controlCharacter }
            switch injector {
            case .header: if byte >= 0x80 { return .notASCII }
            case .path: if byte == UInt8(ascii: "/") || byte == UInt8(ascii: "\\") { return .slash }
            case .query, .none: break
            }
        }
        switch injector {
        case .header: if value[0] == 0x20 || value[value.byteCount - 1] == 0x20 { return .surroundingSpace }
        case .path: if value.equals(".") || value.equals("..") { return .dotSegment }
        case .query, .none: break
        }
        return nil
    }
}
