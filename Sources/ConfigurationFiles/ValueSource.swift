// `${env:NAME}`, `${file:/path}`, `${credential:NAME}`: a value that stands elsewhere.

enum ValueSource: Hashable {
    case environment(String)
    case file(String)
    case credential(String)

    /// 64 KiB: no setting is longer.
    static let longest = 65_536

    /// What came of a look.
    enum Outcome {
        case found([UInt8])
        /// To follow the source's name: what is wrong and what would be right.
        case failed(String)
        /// Only the daemon, started by systemd, can know.
        case unknowable(String)
    }

    /// Nil for text that is a value itself. Anything with `${` in it is a source or a mistake.
    static func parse(_ text: String) throws(Malformed) -> ValueSource? {
        let bytes = Array(text.utf8)
        guard let dollar = bytes.indices.dropLast().first(where: { bytes[$0] == UInt8(ascii: "$") && bytes[$0 + 1] == UInt8(ascii: "{") })
        else { return nil }
        guard dollar == 0, bytes.last == UInt8(ascii: "}"), !bytes.dropFirst(2).dropLast().contains(UInt8(ascii: "}")) else {
            throw Malformed("`${…}` must be the whole value; put the rest of it behind the reference, too")
        }
        let inner = String(decoding: bytes.dropFirst(2).dropLast(), as: UTF8.self)
        guard let colon = inner.firstIndex(of: ":") else {
            throw Malformed("\("${\(inner)}".quoted) is no reference; write `${env:NAME}`, `${file:/path}` or `${credential:NAME}`")
        }
        let kind = String(inner[..<colon])
        let name = String(inner[inner.index(after: colon)...])
        switch kind {
        case "env":
            guard isName(name, extra: "_") else { throw Malformed("\(name.quoted) cannot name a variable; letters, digits and `_` can") }
            return .environment(name)
        case "file":
            guard name.utf8.first == UInt8(ascii: "/"), !name.utf8.contains(0) else {
                throw Malformed("\(name.quoted) must be an absolute path, as in `${file:/etc/claviger/token}`")
            }
            return .file(name)
        case "credential":
            guard isName(name, extra: "_.-"), name.utf8.first != UInt8(ascii: ".") else {
                throw Malformed("\(name.quoted) cannot name a credential; letters, digits, `_`, `.` and `-` can")
            }
            return .credential(name)
        default:
            throw Malformed("there is no reference of kind \(kind.quoted)\(remedy(for: kind, among: ["env", "file", "credential"]))")
        }
    }

    /// As it is written; names only, never what is behind them.
    var text: String {
        switch self {
        case .environment(let name): "`${env:\(name)}`"
        case .file(let path): "`${file:\(path)}`"
        case .credential(let name): "`${credential:\(name)}`"
        }
    }

    /// The bytes behind the source, one trailing newline dropped.
    func resolve(_ environment: [String: String]) -> Outcome {
        switch self {
        case .environment(let name):
            guard let value = environment[name] else { return .failed("the variable is not set; set it for the daemon, or write the value") }
            return .found(ValueSource.trimmed(Array(value.utf8)))
        case .file(let path):
            return ValueSource.read(path)
        case .credential(let name):
            guard let directory = environment["CREDENTIALS_DIRECTORY"] else {
                return .unknowable("$CREDENTIALS_DIRECTORY is not set: only a daemon started by systemd with `LoadCredential=\(name):…` has it")
            }
            guard case .found(let bytes) = ValueSource.read("\(directory)/\(name)") else {
                return .failed("there is no such credential; the unit needs `LoadCredential=\(name):…`")
            }
            return .found(bytes)
        }
    }

    private static func read(_ path: String) -> Outcome {
        guard let file = RegularFile.contents(path) else { return .failed("the file cannot be read; check that it exists and who may read it") }
        guard file.count <= longest else { return .failed("the file is larger than 64 KiB; no setting is") }
        return .found(trimmed(file))
    }

    private static func trimmed(_ bytes: [UInt8]) -> [UInt8] {
        bytes.last == UInt8(ascii: "\n") ? bytes.dropLast() : bytes
    }

    private static func isName(_ text: String, extra: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 255
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
                default: extra.utf8.contains(byte)
                }
            }
    }
}
