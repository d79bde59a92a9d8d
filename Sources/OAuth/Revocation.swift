// Giving a token back (RFC 7009): best effort, and what became of it in words.

package import Gateway
internal import Kernel
package import Outbound

package enum Revocation {
    /// What is given back. With a refresh token goes all that was had with it (section 2.1).
    package enum Hint: String, Sendable {
        case refreshToken = "refresh_token"
        case accessToken = "access_token"
    }

    package enum Outcome: Equatable, Sendable {
        /// The provider does not take it any more, or never knew it.
        case revoked
        /// It may go on being good until it expires; why, in words for a log and a page.
        case notRevoked(String)
    }

    /// - Throws: where the client cannot prove itself.
    package static func request(
        of token: Secret, _ hint: Hint, at endpoint: ServiceURL, by client: OAuthClient, limits: OutboundRequest.Limits
    ) throws(NotUsable) -> OutboundRequest {
        var form = TokenForm()
        form.add("token", token)
        form.add("token_type_hint", hint.rawValue)
        return try form.request(to: endpoint, by: client, limits: limits)
    }

    /// 200 also for a token that was not good (section 2.2); 204 is how some say the same.
    ///
    /// - Parameter shown: what the request had in it, and no words may have.
    package static func outcome(status: Int, body: RawSpan, showing shown: [Secret] = []) -> Outcome {
        guard status != 200, status != 204 else { return .revoked }
        switch TokenAnswer.read(status: status, body: body).hiding(shown) {
        case .refused(let refused): return .notRevoked("the provider did not take the token back: \(refused.words)")
        case .tokens: return .notRevoked("the provider did not take the token back: status \(status)")
        }
    }

    /// No answer came.
    package static func outcome(unanswered fault: OutboundFault) -> Outcome {
        .notRevoked("the provider could not be told to take the token back: \(fault)")
    }
}
