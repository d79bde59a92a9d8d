// One run over the configuration: what it may look at, and the problems it has met so far.

internal import Kernel
internal import TLS

/// Steps report here and go on, so that a run names every problem and not only the first.
/// A step that returns nil has reported why, or met a value that only the daemon can know.
final class Reading {
    let environment: [String: String]
    let purpose: Configuration.Purpose
    /// Seconds since 1970.
    let wallClock: Int64
    private(set) var problems: Set<Problem> = []
    /// Of what references brought and of what stood in files that settings name, by the text that names it.
    private var digests: [String: Digest256] = [:]

    init(environment: [String: String], purpose: Configuration.Purpose, wallClock: Int64) {
        self.environment = environment
        self.purpose = purpose
        self.wallClock = wallClock
    }

    /// What stands in the file that a setting names: from here on it belongs to the setting's value, and a reload sees when it is another.
    func contents(_ path: String, atMost limit: Int = .max) -> [UInt8]? {
        let bytes = RegularFile.contents(path, atMost: limit)
        if let bytes { note(bytes, broughtBy: path) }
        return bytes
    }

    /// Has `text`, a reference or a path, count as what it led to.
    func note(_ bytes: [UInt8], broughtBy text: String) {
        digests[text] = Digest256(hashing: bytes.span.raw)
    }

    /// Of what `text` led to; nil where it is a value itself.
    func brought(by text: String) -> Digest256? { digests[text] }

    var hasErrors: Bool { problems.contains { $0.severity == .error } }

    func error(_ position: Position, _ message: String) {
        problems.insert(Problem(severity: .error, position: position, message: message))
    }

    func warning(_ position: Position, _ message: String) {
        problems.insert(Problem(severity: .warning, position: position, message: message))
    }
}
