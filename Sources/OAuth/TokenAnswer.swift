// What a token endpoint answers (RFC 6749, sections 5.1 and 5.2), in every form that is met with.

package import Gateway
internal import Kernel

/// Tokens, or why there are none. No part of a secret becomes a String.
package enum TokenAnswer: Sendable {
    case tokens(Tokens)
    case refused(Refused)

    package struct Tokens: Sendable {
        package let access: Secret
        /// Nil where the one that was used goes on being good (RFC 6749, section 6).
        package let refresh: Secret?
        /// From the answer on; nil where nothing, or nothing sensible, is said.
        package let life: Duration?
        /// Nil where they are those that were asked for.
        package let scopes: [String]?
        package let identity: Secret?
    }

    /// A no, or no answer that says anything.
    package struct Refused: Error, Equatable, Sendable {
        package enum Kind: Sendable {
            /// The grant is spent, revoked, expired or another's: only the person can make a new one.
            case invalidGrant
            /// The client is not known, or did not prove itself.
            case invalidClient
            /// The scopes are not to be had.
            case invalidScope
            /// The request is not one that the endpoint takes: configuration.
            case invalidRequest
            /// Not now: asked again later it may do.
            case passing
            /// What came is no token answer.
            case unintelligible
        }

        package let kind: Kind
        /// The endpoint's own code and words, printable, 200 bytes at most; never a token.
        package let words: String
    }

    /// - Parameters:
    ///   - status: of HTTP.
    ///   - body: as it came.
    package static func read(status: Int, body: RawSpan) -> TokenAnswer {
        guard let members = Members(body) else { return .refused(withoutWords(status, isEmpty: body.byteCount == 0)) }
        if status == 200 || status == 201, let access = members.access, access.count > 0 {
            return .tokens(
                Tokens(
                    access: access, refresh: members.refresh.flatMap { $0.count > 0 ? $0 : nil }, life: members.life,
                    scopes: members.scope.map(Scopes.read), identity: members.identity))
        }
        guard let error = members.error else { return .refused(withoutWords(status, isEmpty: false)) }
        let words = members.errorDescription.map { "\(error): \($0)" } ?? error
        return .refused(Refused(kind: kind(of: error, status), words: String(words.prefix(200))))
    }

    /// `words` without what of the secrets stands in them: some providers repeat the token that they refuse. Eight bytes that follow one another
    /// in one of them are taken for a part of it, since words are cut off anywhere.
    static func hide(_ secrets: [Secret], in words: String) -> String {
        let text = Array(words.utf8)
        var isHidden = [Bool](repeating: false, count: text.count)
        for secret in secrets {
            let size = min(8, secret.count)
            guard size > 3, text.count >= size else { continue }
            let bytes = secret.bytes
            for start in 0...text.count - size {
                let isPart = (0...bytes.byteCount - size).contains { at in (0..<size).allSatisfy { bytes[at + $0] == text[start + $0] } }
                if isPart { for at in start..<start + size { isHidden[at] = true } }
            }
        }
        var shown: [UInt8] = []
        for (at, byte) in text.enumerated() {
            if !isHidden[at] { shown.append(byte) } else if at == 0 || !isHidden[at - 1] { shown += Array("***".utf8) }
        }
        return String(decoding: shown, as: UTF8.self)
    }

    /// The same answer, its words without what of the secrets stands in them.
    func hiding(_ secrets: [Secret]) -> TokenAnswer {
        guard case .refused(let refused) = self else { return self }
        return .refused(Refused(kind: refused.kind, words: TokenAnswer.hide(secrets, in: refused.words)))
    }

    /// The codes of RFC 6749, section 5.2, and those that are met with beside them.
    private static func kind(of error: String, _ status: Int) -> Refused.Kind {
        switch error {
        case "invalid_grant", "invalid_code", "bad_refresh_token", "expired_token": .invalidGrant
        case "invalid_client", "unauthorized_client": .invalidClient
        case "invalid_scope", "invalid_target": .invalidScope
        case "temporarily_unavailable", "server_error", "slow_down": .passing
        default: status >= 500 || status == 429 ? .passing : .invalidRequest
        }
    }

    /// An answer without a code. An empty 400 is how some say `invalid_grant`; one with a page in it is somebody's who stands in front of the
    /// endpoint, and ends nothing; so may a 401 be. What is over 499, 408 and 429 pass.
    private static func withoutWords(_ status: Int, isEmpty: Bool) -> Refused {
        switch status {
        case 400 where isEmpty: Refused(kind: .invalidGrant, words: "status 400 without a reason")
        case 408, 425, 429, 500...: Refused(kind: .passing, words: "status \(status)")
        default: Refused(kind: .unintelligible, words: "status \(status) without tokens")
        }
    }
}

/// The members that count, of one JSON object. Lives are clamped: none, a zero, or over ten years say nothing.
private struct Members {
    var access: Secret?
    var refresh: Secret?
    var identity: Secret?
    var life: Duration?
    var scope: String?
    var error: String?
    var errorDescription: String?

    init?(_ body: RawSpan) {
        do throws(NotJSON) {
            try JSONScanner.members(of: body) { name, scanner throws(NotJSON) in try take(name, from: &scanner) }
        } catch {
            return nil
        }
    }

    private mutating func take(_ name: Range<Int>, from scanner: inout JSONScanner) throws(NotJSON) {
        switch Members.text(scanner.bytes.extracting(name), atMost: 32) {
        case "access_token": access = try secret(&scanner)
        case "refresh_token": refresh = try secret(&scanner)
        case "id_token": identity = try secret(&scanner)
        case "expires_in": life = try lifetime(&scanner)
        case "scope": scope = try words(&scanner, atMost: 4096)
        case "error": error = try words(&scanner, atMost: 64)
        case "error_description": errorDescription = try words(&scanner, atMost: 160)
        default: try scanner.skipValue()
        }
    }

    /// The string's bytes; nil for what is none.
    private func secret(_ scanner: inout JSONScanner) throws(NotJSON) -> Secret? {
        guard scanner.next == UInt8(ascii: "\"") else {
            try scanner.skipValue()
            return nil
        }
        return Secret(try scanner.text(in: try scanner.string()))
    }

    private func words(_ scanner: inout JSONScanner, atMost limit: Int) throws(NotJSON) -> String? {
        guard scanner.next == UInt8(ascii: "\"") else {
            try scanner.skipValue()
            return nil
        }
        return Members.text(scanner.bytes.extracting(try scanner.string()), atMost: limit)
    }

    /// A number of seconds, or a string that is one; fractions are cut.
    private func lifetime(_ scanner: inout JSONScanner) throws(NotJSON) -> Duration? {
        let range: Range<Int>
        switch scanner.next {
        case UInt8(ascii: "\""): range = try scanner.string()
        case let digit? where (48...57).contains(digit): range = try scanner.number()
        default:
            try scanner.skipValue()
            return nil
        }
        let digits = scanner.bytes.extracting(range).copied().prefix { $0 != UInt8(ascii: ".") }
        guard digits.allSatisfy({ (48...57).contains($0) }), let seconds = Int(String(decoding: digits, as: UTF8.self)), seconds > 0, seconds <= 315_360_000 else { return nil }
        return .seconds(seconds)
    }

    /// As it stands, escapes untouched, what is not printable ASCII as `?`.
    private static func text(_ bytes: RawSpan, atMost limit: Int) -> String {
        String(decoding: bytes.extracting(0..<min(bytes.byteCount, limit)).copied().map { (0x20..<0x7F).contains($0) ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
    }
}
