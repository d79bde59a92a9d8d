// The portal's cookies: of this host alone, of no script, only over what the browser takes for safe.

internal import HTTPTypes
internal import Hummingbird

/// Each has the `__Host-` prefix: Secure, Path=/, no Domain (RFC 6265bis, section 4.1.3.2).
enum Cookie {
    /// Who has signed in for the people's pages, and for administration: one host may have both on different ports.
    static let session = "__Host-claviger"
    static let adminSession = "__Host-claviger-admin"
    /// Who has not yet.
    static let visit = "__Host-claviger-visit"

    /// Of a link whose URL was visited.
    static func link(_ id: String) -> String { "__Host-claviger-link-\(id)" }

    /// - Parameter life: in seconds; nil until the browser ends.
    static func set(_ name: String, _ value: String, life: Int64? = nil) -> String {
        "\(name)=\(value); Path=/; Secure; HttpOnly; SameSite=Lax\(life.map { "; Max-Age=\($0)" } ?? "")"
    }

    static func clear(_ name: String) -> String { set(name, "", life: 0) }
}

extension Request {
    /// The value of a cookie; nil where there is none, or several: one of those would be another's.
    func cookie(_ name: String) -> String? {
        let found = headers[values: .cookie].flatMap { $0.split(separator: ";") }.compactMap { pair -> String? in
            let pair = pair.drop { $0 == " " }
            guard pair.utf8.count > name.utf8.count, pair.utf8.starts(with: name.utf8), pair.dropFirst(name.count).first == "=" else { return nil }
            return String(pair.dropFirst(name.count + 1))
        }
        return found.count == 1 ? found.first : nil
    }
}

extension Response {
    func setting(_ cookies: String?...) -> Response {
        var response = self
        for cookie in cookies.compactMap({ $0 }) { response.headers.append(HTTPField(name: .setCookie, value: cookie)) }
        return response
    }
}
