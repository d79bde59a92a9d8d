// What a token says, once it is known who signed it; and whether that is for us, and now.

internal import FoundationEssentials

/// The claims of RFC 7519, section 4.1, and of OpenID Connect Core, sections 2 and 5.1, as far as they count here.
struct TokenClaims: Sendable {
    let issuer: String?
    let subject: String?
    let audiences: [String]
    let expires: Double?
    let notBefore: Double?
    let issued: Double?
    let authorizedParty: String?
    let nonce: String?
    /// Of the claim that was asked for.
    let address: String?
    /// Nil where nothing is said of it.
    let isAddressVerified: Bool?

    /// How far its clock and ours may be apart, in seconds.
    static let skew: Double = 60

    /// - Parameters:
    ///   - payload: of a token that is signed.
    ///   - claim: which holds the address.
    init(_ payload: [UInt8], address claim: String) throws(SignedTokenFault) {
        do { self = try JSONDecoder().decode(Reading.self, from: Data(payload), configuration: claim).claims } catch {
            throw .invalid("the token's claims cannot be read")
        }
    }

    /// Whether it is this issuer's, for this audience, and good at this moment.
    ///
    /// - Parameter now: in seconds since 1970.
    func check(issuer: String, audience: String, now: Int64) throws(SignedTokenFault) {
        guard let own = self.issuer, own.utf8.elementsEqual(issuer.utf8) else { throw .invalid("the token's iss is not the configured issuer") }
        guard audiences.contains(where: { $0.utf8.elementsEqual(audience.utf8) }) else { throw .invalid("the token's aud does not name the configured audience") }
        let now = Double(now)
        guard let expires else { throw .invalid("the token has no exp: it would never end") }
        guard now < expires + TokenClaims.skew else { throw .untimely("the token has expired") }
        if let notBefore, now < notBefore - TokenClaims.skew { throw .untimely("the token is not good yet (nbf): are both clocks right?") }
        if let issued, now < issued - TokenClaims.skew { throw .untimely("the token was issued in the future (iat): are both clocks right?") }
    }

    /// Whether it is the answer to one person's sign-in (OpenID Connect Core, section 3.1.3.7).
    func check(client: String, nonce wanted: String) throws(SignedTokenFault) {
        if let authorizedParty {
            guard authorizedParty.utf8.elementsEqual(client.utf8) else { throw .invalid("the ID token's azp is another client") }
        } else if audiences.count > 1 {
            throw .invalid("the ID token is for several, and says of none that it asked for it (azp)")
        }
        guard let nonce, nonce.utf8.elementsEqual(wanted.utf8) else { throw .invalid("the ID token's nonce is not this sign-in's") }
    }

    fileprivate init(_ members: KeyedDecodingContainer<Name>, _ claim: String) throws {
        func text(_ name: String) throws -> String? { try members.decodeIfPresent(String.self, forKey: Name(name)) }
        func number(_ name: String) throws -> Double? { try members.decodeIfPresent(Double.self, forKey: Name(name)) }
        issuer = try text("iss")
        subject = try text("sub")
        audiences =
            if let one = try? members.decode(String.self, forKey: Name("aud")) { [one] } else { try members.decodeIfPresent([String].self, forKey: Name("aud")) ?? [] }
        expires = try number("exp")
        notBefore = try number("nbf")
        issued = try number("iat")
        authorizedParty = try text("azp")
        nonce = try text("nonce")
        address = try? text(claim)
        isAddressVerified = TokenClaims.flag(members, "email_verified")
    }

    /// Some say it as a string.
    private static func flag(_ members: KeyedDecodingContainer<Name>, _ name: String) -> Bool? {
        guard members.contains(Name(name)) else { return nil }
        if let flag = try? members.decode(Bool.self, forKey: Name(name)) { return flag }
        return (try? members.decode(String.self, forKey: Name(name))) == "true"
    }

    private struct Reading: DecodableWithConfiguration {
        let claims: TokenClaims

        init(from decoder: any Decoder, configuration claim: String) throws {
            claims = try TokenClaims(decoder.container(keyedBy: Name.self), claim)
        }
    }
}

/// Of any member.
private struct Name: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(_ text: String) { stringValue = text }
    init?(stringValue: String) { self.init(stringValue) }
    init?(intValue: Int) { nil }
}
