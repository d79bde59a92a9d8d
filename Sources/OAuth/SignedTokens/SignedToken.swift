// A signed token taken apart: what its header says, what was signed, and the signature. Nothing of it is believed yet.

internal import FoundationEssentials
internal import Kernel

/// A JWS in its compact form (RFC 7515, section 3.1), the form of every JWT that is signed.
struct SignedToken: Sendable {
    let algorithm: SigningAlgorithm
    /// Which key of its issuer's set it says it was signed with.
    let keyID: String?
    /// Header and payload as they were signed.
    let signed: [UInt8]
    let payload: [UInt8]
    let signature: [UInt8]

    /// Larger than any that fits into a request's head.
    static let sizeLimit = 16 << 10

    private struct Header: Decodable {
        let alg: String
        let kid: String?
        let isExtended: Bool

        private enum CodingKeys: String, CodingKey { case alg, kid, crit }

        init(from decoder: any Decoder) throws {
            let members = try decoder.container(keyedBy: CodingKeys.self)
            alg = try members.decode(String.self, forKey: .alg)
            kid = try members.decodeIfPresent(String.self, forKey: .kid)
            isExtended = members.contains(.crit)
        }
    }

    /// - Throws: `SignedTokenFault.invalid`, in words that repeat nothing of the token.
    init(_ text: RawSpan) throws(SignedTokenFault) {
        guard text.byteCount <= SignedToken.sizeLimit else { throw .invalid("the token is larger than \(SignedToken.sizeLimit >> 10) KiB") }
        let bytes = text.copied()
        let parts = bytes.split(separator: UInt8(ascii: "."), maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 3, let header = Base64.bytes(parts[0]), let payload = Base64.bytes(parts[1]), let signature = Base64.bytes(parts[2]) else {
            throw .invalid("the token is no signed JWT: three parts in base64url")
        }
        let read: Header
        do { read = try JSONDecoder().decode(Header.self, from: Data(header)) } catch { throw .invalid("the token's header cannot be read") }
        // RFC 7515, section 4.1.11: what must be understood and is not makes a token invalid.
        guard !read.isExtended else { throw .invalid("the token's header has extensions that must be understood (crit)") }
        guard let algorithm = SigningAlgorithm(rawValue: read.alg) else {
            throw .invalid("the token is not signed with a private key of its issuer's (RS, PS, ES or EdDSA)")
        }
        self.algorithm = algorithm
        keyID = read.kid
        signed = Array(bytes[..<parts[1].endIndex])
        self.payload = payload
        self.signature = signature
    }
}

/// How a token may be signed (RFC 7518, section 3.1; RFC 8037): with a private key, so that whoever verifies it cannot make one. Not among them: `none`,
/// and everything with a shared secret.
enum SigningAlgorithm: String, Sendable, CaseIterable {
    case rs256 = "RS256"
    case rs384 = "RS384"
    case rs512 = "RS512"
    case ps256 = "PS256"
    case ps384 = "PS384"
    case ps512 = "PS512"
    case es256 = "ES256"
    case es384 = "ES384"
    case es512 = "ES512"
    case edDSA = "EdDSA"
}

/// Why a token does not count.
package enum SignedTokenFault: Error, Equatable, Sendable {
    /// It proves nothing: not signed by its issuer, for somebody else, or no token at all. The words are for the log and repeat nothing of it.
    case invalid(String)
    /// It is over, or not good yet; or one of two clocks is wrong.
    case untimely(String)
    /// It is good, and names nobody: the claim is missing, or no address.
    case nobody(String)
    /// Whether it is good cannot be said now.
    case unavailable(String)
    /// Too many wait.
    case crowded

    /// For the log.
    package var words: String {
        switch self {
        case .invalid(let words), .untimely(let words), .nobody(let words), .unavailable(let words): words
        case .crowded: "too many wait for tokens to be verified"
        }
    }
}
