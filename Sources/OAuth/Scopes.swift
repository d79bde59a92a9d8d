// Scopes as OAuth writes them: tokens parted by blanks (RFC 6749, section 3.3), their order without meaning.

package enum Scopes {
    /// The tokens, each once, in the order of first mention; what is no token is left out.
    package static func read(_ text: String) -> [String] {
        union([], text.split(separator: " ").map(String.init).filter(isToken))
    }

    package static func write(_ scopes: [String]) -> String {
        scopes.joined(separator: " ")
    }

    /// All of both, each once.
    package static func union(_ first: [String], _ second: [String]) -> [String] {
        var seen: Set<String> = []
        return (first + second).filter { seen.insert($0).inserted }
    }

    private static func isToken(_ text: String) -> Bool {
        text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
    }
}
