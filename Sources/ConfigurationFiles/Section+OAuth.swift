// What several sections say of providers, read alike: endpoints and issuers, client ids and their secrets.

internal import Gateway
internal import Kernel

extension Section {
    /// The URL of an endpoint, of a document or of an issuer. Nil, and reported, where tokens could not be trusted to come from there.
    func endpoint(_ key: String) -> String? {
        guard let scalar = line(key) else { return nil }
        return endpoint(key, scalar)
    }

    func endpoint(_ key: String, _ scalar: Scalar) -> String? {
        do {
            let url = try WebURL(scalar.text)
            guard url.origin.scheme == .https || url.host.isLoopback else {
                return wrong(key, scalar, "must begin with `https://`, for tokens are had there; `http://` is for loopback only")
            }
            guard WebURL.isEncoded(url.path, WebURL.isPathByte), WebURL.isEncoded(url.query ?? "", WebURL.isQueryByte), scalar.text.utf8.count <= 2048 else {
                return wrong(key, scalar, "must be a URL of 2,048 bytes at most, other characters percent-encoded")
            }
            if key == "issuer", url.query != nil { return wrong(key, scalar, "must have no query (RFC 8414, section 2)") }
            return scalar.text
        } catch {
            // Of a URL with a password in it nothing is repeated.
            reading.error(scalar.position, "`\(key)` \(error.words)")
            return nil
        }
    }

    /// RFC 6749, appendix A.1: printable ASCII.
    func identifier(_ key: String) -> String? {
        guard let scalar = line(key) else { return nil }
        guard scalar.text.utf8.count <= 1024, scalar.text.utf8.allSatisfy({ (0x20..<0x7f).contains($0) }) else { return wrong(key, scalar) }
        return scalar.text
    }

    func clientSecret(_ key: String) -> Secret? {
        guard let secret = secret(key) else { return nil }
        for at in 0..<secret.count where !(0x20..<0x7f).contains(secret.bytes[at]) {
            reading.error(position(of: key), "`\(key)` must be one line of printable ASCII; this one is not")
            return nil
        }
        return secret
    }
}
