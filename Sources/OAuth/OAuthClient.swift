// How a client proves itself at a token endpoint (RFC 6749, section 2.3; RFC 7591, section 2).

package import Gateway

package struct OAuthClient: Sendable {
    package enum Proof: Sendable {
        /// A public client: it names itself, and PKCE protects what it does.
        case none
        case basic(Secret)
        case post(Secret)
        /// Signs for each request.
        case assertion(ClientAssertion)
    }

    package let identifier: String
    package let proof: Proof

    /// What it shows to prove itself.
    var secrets: [Secret] {
        switch proof {
        case .basic(let secret), .post(let secret): [secret]
        case .none, .assertion: []
        }
    }

    package init(identifier: String, proof: Proof) {
        self.identifier = identifier
        self.proof = proof
    }

    /// The strongest way of those the provider takes; `basic` before `post`, as the RFC has it.
    ///
    /// - Parameter methods: `token_endpoint_auth_methods_supported`.
    /// - Throws: where there is a secret and no way to use it, or none and one is needed.
    package init(identifier: String, secret: Secret?, methods: [String]) throws(NotUsable) {
        self.identifier = identifier
        if let secret {
            if methods.contains("client_secret_basic") {
                proof = .basic(secret)
            } else if methods.contains("client_secret_post") {
                proof = .post(secret)
            } else {
                throw NotUsable("takes no client secret, but one of \(methods.joined(separator: ", "))")
            }
        } else {
            proof = .none
        }
    }
}
