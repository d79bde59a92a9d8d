// What credential the server demands, and what it saw of the one that came: never more than two characters of it.

internal import ArgumentParser
internal import FoundationEssentials
internal import HTTPTypes
internal import Hummingbird

/// Where the credential must stand and which tokens are good.
struct Demand: Sendable {
    enum Place: String, CaseIterable, ExpressibleByArgument, Sendable {
        case header, path, query, none
    }

    let place: Place
    /// The header's or the query pair's name; empty for path and none.
    let name: String
    private let tokens: [[UInt8]]

    /// Reads the accepted tokens. Throws `ValidationError` where there are none, or where the name is no header name.
    init(place: Place, name: String?, tokenFile: String?) throws {
        self.place = place
        switch place {
        case .header: self.name = name ?? "Authorization"
        case .query: self.name = name ?? "api_key"
        case .path, .none: self.name = ""
        }
        guard place != .header || HTTPField.Name(self.name) != nil else {
            throw ValidationError("--name \(self.name) is not a header's name")
        }
        guard place != .none else { tokens = []; return }
        guard let tokenFile, let text = try? String(contentsOfFile: tokenFile, encoding: .utf8) else {
            throw ValidationError("--token-file is needed: a readable file with one accepted token a line")
        }
        tokens = text.split(whereSeparator: \.isNewline).map { Array($0.utf8) }
        guard !tokens.isEmpty else { throw ValidationError("\(tokenFile) has no token in it") }
    }

    /// What the request shows, and whether it satisfies the demand.
    func look(at request: Request) -> Sighting {
        let path = request.uri.path.split(separator: "/", omittingEmptySubsequences: true).map(String.init)
        switch place {
        case .none: return Sighting(place: "nowhere: none is demanded", token: nil, isAccepted: true, isEndpoint: path == ["mcp"])
        case .header:
            let values = HTTPField.Name(name).map { request.headers[values: $0] } ?? []
            return sighting("header \(name)", values.map(bare), isEndpoint: path == ["mcp"])
        case .query:
            let values = request.uri.queryParameters[values: name[...]]
            return sighting("query pair \(name)", values.map(String.init), isEndpoint: path == ["mcp"])
        case .path:
            let token = path.first.flatMap { URL(string: "/\($0)")?.lastPathComponent }
            return sighting("path", token.map { [$0] } ?? [], isEndpoint: path.count == 2 && path.last == "mcp")
        }
    }

    /// The token in a header's value: what follows `Bearer ` in Authorization, everything in any other.
    private func bare(_ value: String) -> String {
        guard name == "Authorization" else { return value }
        return value.hasPrefix("Bearer ") ? String(value.dropFirst("Bearer ".count)) : ""
    }

    private func sighting(_ place: String, _ values: [String], isEndpoint: Bool) -> Sighting {
        let token = values.count == 1 ? values[0] : nil
        let isGood = token.map { tokens.contains(Array($0.utf8)) } ?? false
        return Sighting(place: place, token: token, isAccepted: isGood, isEndpoint: isEndpoint)
    }
}

/// What one request showed.
struct Sighting: Sendable {
    /// In words: `header Authorization`.
    let place: String
    let isAccepted: Bool
    /// Whether the path is the endpoint's.
    let isEndpoint: Bool
    /// The token's first two characters and its length; never the token.
    let masked: String?

    init(place: String, token: String?, isAccepted: Bool, isEndpoint: Bool) {
        self.place = place
        self.isAccepted = isAccepted
        self.isEndpoint = isEndpoint
        masked = token.map { $0.utf8.count < 8 ? "… (\($0.utf8.count) characters)" : "\($0.prefix(2))… (\($0.utf8.count) characters)" }
    }
}
