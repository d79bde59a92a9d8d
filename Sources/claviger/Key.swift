// `claviger key new`: an API key, shown once, and the line for the configuration.

internal import ArgumentParser
internal import FoundationEssentials
internal import Gateway
internal import Kernel
internal import Portal
internal import TLS

struct Key: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Makes API keys, and says which are used.", subcommands: [New.self, List.self])

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists the keys of a project's navigators: until when they are good, and when they were used last.")

        @Option(help: "The project.") var project: String
        @OptionGroup var place: RuntimePlace
        @Flag(help: "Print JSON.") var json = false

        func run() throws {
            let list = try AdminClient(place: place).ask(for: NavigatorList.self, "projects/\(AdminClient.encoded(project))/navigators")
            print(json ? JSONText.of(list) : List.text(list, project))
        }

        static func text(_ list: NavigatorList, _ project: String) -> String {
            let rows = list.navigators.flatMap { navigator in
                navigator.keys.map { [navigator.navigator, "ck_\($0.id).…", $0.expires ?? "never", $0.lastUsed ?? "-", $0.note ?? ""] }
            }
            guard !rows.isEmpty else { return "\(project) has no keys" }
            return Table.lines([["NAVIGATOR", "KEY", "EXPIRES", "LAST USED", "NOTE"]] + rows).joined(separator: "\n")
        }
    }

    struct New: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prints a new API key once, and the line for the configuration.",
            discussion: "Nothing is stored: the line goes under the navigator's `keys`, the key to the agent.")

        @Option(help: "The key's public half, [a-z0-9]{4,16} (default: random).") var id: String?
        @Option(help: ArgumentHelp("When it ends: a time (RFC 3339) or a duration such as 90d (default: never).", valueName: "when")) var expires: String?
        @Option(help: "What it is for.") var note: String?
        @Flag(help: "Print JSON.") var json = false

        func run() throws {
            let now = Int64(Date().timeIntervalSince1970)
            print(try text(random: SecureRandom.bytes(48), now: now))
        }

        /// - Parameters:
        ///   - random: 32 bytes for the secret, 16 for the id.
        ///   - now: seconds since 1970.
        func text(random: [UInt8], now: Int64) throws(CommandFault) -> String {
            let made = try key(random: random, now: now)
            guard !json else { return JSONText.of(made) }
            return """
                \(made.key)

                This is shown once. The agent sends it as x-api-key. In conf.d, under the navigator's keys:
                  - \(made.line)
                """
        }

        private func key(random: [UInt8], now: Int64) throws(CommandFault) -> NewKey {
            let name = id ?? New.identifier(random[32..<48])
            guard APIKeyID(name) != nil else { throw .usage("--id takes 4 to 16 of a-z and 0-9, not what was given") }
            let end = try expires.map { text throws(CommandFault) in try Expiry(text, now: now).text }
            if let note, note.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
                throw .usage("--note takes one line of text")
            }
            let secret = Base64URL.text(Array(random[0..<32]))
            let digest = Digest256(hashing: Array(secret.utf8).span.raw)
            return NewKey(key: "ck_\(name).\(secret)", id: name, sha256: digest.hexadecimal, expires: end, note: note)
        }

        /// Eight of 32 characters that are not taken for one another.
        private static func identifier(_ random: ArraySlice<UInt8>) -> String {
            let alphabet = Array("abcdefghjkmnpqrstuvwxyz023456789".unicodeScalars)
            return String(String.UnicodeScalarView(random.prefix(8).map { alphabet[Int($0) % alphabet.count] }))
        }
    }
}

private struct NewKey: Encodable {
    let key: String
    let id: String
    let sha256: String
    let expires: String?
    let note: String?

    /// As YAML takes it: a note is quoted as JSON is, which YAML reads alike.
    var line: String {
        var pairs = ["id: \(id)", "sha256: \(sha256)"]
        if let expires { pairs.append("expires: \(expires)") }
        if let note { pairs.append("note: \"\(note.reduce(into: "") { $0 += $1 == "\"" || $1 == "\\" ? "\\\($1)" : String($1) })\"") }
        return "{ \(pairs.joined(separator: ", ")) }"
    }
}

/// A point in time that a person gave: absolute, or so far from now.
struct Expiry {
    let text: String

    init(_ given: String, now: Int64) throws(CommandFault) {
        let end = try Expiry.seconds(given, now)
        guard end > now else { throw .usage("--expires is in the past") }
        text = Timestamp.text(end)
    }

    private static func seconds(_ given: String, _ now: Int64) throws(CommandFault) -> Int64 {
        let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        if let unit = given.last.flatMap({ units[$0] }), let count = Int64(given.dropLast()), count > 0, count < 10_000_000 {
            return now + count * unit
        }
        guard let date = try? Date(given, strategy: .iso8601) else {
            throw .usage("--expires takes a time such as 2027-01-01T00:00:00Z or a duration such as 90d")
        }
        return Int64(date.timeIntervalSince1970)
    }
}

extension Digest256 {
    var hexadecimal: String {
        bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
}
