// An export of credentials: a first line that says under which key, a line for each credential, and a last one that makes it whole.

internal import FoundationEssentials
internal import Gateway
internal import Kernel
internal import TLS

/// One credential on its way from store to store: its reference without the store's prefix, and what is recorded of it.
package struct ExportEntry: Codable, Equatable, Sendable {
    package let reference: String
    /// Nil for a value that was put into the store by other means, and for what has no record.
    package let record: Record?

    package struct Record: Codable, Equatable, Sendable {
        let project: String
        let server: String
        let level: String
        let user: String?
        let scheme: String
        let host: String
        let port: UInt16
        /// Seconds since 1970.
        let deposited: Int64
        let updated: Int64
    }

    /// - Parameter reference: without prefix.
    init(_ reference: Reference, _ deposit: Deposit?) {
        self.reference = reference.path
        record = deposit.map {
            Record(
                project: $0.project.text, server: $0.server.text, level: $0.level.rawValue, user: $0.user?.text, scheme: $0.origin.scheme.rawValue,
                host: $0.origin.host, port: $0.origin.port, deposited: $0.depositedAt, updated: $0.updatedAt)
        }
    }

    /// What to record under a store's own reference; nil for a record that no version of ours wrote.
    func deposit(at reference: Reference) -> Deposit? {
        guard let record, let project = ProjectName(record.project), let server = ServerName(record.server),
            let level = ServerInstance.Level(rawValue: record.level), let scheme = Origin.Scheme(rawValue: record.scheme),
            (level == .user) == (record.user != nil)
        else { return nil }
        let user = record.user.flatMap { UserEmail($0) }
        guard record.user == nil || user != nil else { return nil }
        return Deposit(
            reference: reference, project: project, server: server, level: level, user: user,
            origin: Origin(scheme: scheme, host: record.host, port: record.port), depositedAt: record.deposited, updatedAt: record.updated)
    }
}

/// Reads an export's lines in order and holds each to what was sealed. What it keeps is each reference and no value.
package struct ExportFile: Sendable {
    private struct Header: Codable {
        static let mark = "credentials"
        var claviger = mark
        var form = 1
        let key: String
        let begun: String
    }

    private struct Trailer: Codable {
        let credentials: Int
        /// SHA-256 over the line before's digest and this line, from the first on.
        let digest: String
    }

    private let key: MasterKey
    private var digest = Digest256(words: (0, 0, 0, 0))
    private var number = 0
    /// When it was begun; nil before the first line.
    package private(set) var begun: String?
    /// Whose lines were read.
    package private(set) var references: Set<String> = []
    /// Whether the last line was read.
    package private(set) var isWhole = false

    /// What is said of a file that is something else.
    package static let foreign = "this is no export of credentials: name another file"
    /// What every export begins with.
    package static let mark = #"{"begun":""#

    /// Whether this is an export's first line, whatever its key.
    package static func isBegun(with line: [UInt8]) -> Bool {
        SealedLine(line)?.decode(Header.self)?.claviger == Header.mark
    }

    /// Of a line.
    package static var lineLimit: Int { SealedLine.limit }

    package init(key: MasterKey) {
        self.key = key
    }

    /// The first line of a new export.
    package func header(begun: String, nonce: [UInt8]) throws(StoreFault) -> [UInt8] {
        try SealedLine(Header(key: key.markText, begun: begun), RawSpan(), key: key, nonce: nonce).bytes
    }

    /// The last line, after all that were taken.
    package func trailer(nonce: [UInt8]) throws(StoreFault) -> [UInt8] {
        try SealedLine(Trailer(credentials: references.count, digest: digest.text), RawSpan(), key: key, nonce: nonce).bytes
    }

    /// Takes the next line.
    ///
    /// - Throws: `StoreFault` that names the line: of kind `key` where the export was sealed with another, else `damaged`.
    package mutating func take(_ line: [UInt8]) throws(StoreFault) {
        number += 1
        guard let sealed = SealedLine(line) else {
            throw StoreFault(.damaged, number == 1 ? ExportFile.foreign : "line \(number): not a line of an export")
        }
        if number == 1 {
            try takeHeader(sealed)
        } else if isWhole {
            throw StoreFault(.damaged, "line \(number): there is something behind the last line")
        } else if let trailer = sealed.decode(Trailer.self) {
            guard sealed.open(key) != nil, trailer.credentials == references.count, trailer.digest == digest.text else {
                throw StoreFault(.damaged, "line \(number): lines before this last one were changed, removed or added")
            }
            isWhole = true
        } else {
            guard let entry = sealed.decode(ExportEntry.self), sealed.open(key) != nil else {
                throw StoreFault(.damaged, "line \(number): not as it was exported")
            }
            guard references.insert(entry.reference).inserted else { throw StoreFault(.damaged, "line \(number): \(entry.reference) is there twice") }
        }
        digest = Digest256(hashing: (digest.bytes + line).span.raw)
    }

    private mutating func takeHeader(_ line: SealedLine) throws(StoreFault) {
        guard let header = line.decode(Header.self), header.claviger == Header.mark else {
            throw StoreFault(.damaged, ExportFile.foreign)
        }
        guard header.form == 1 else { throw StoreFault(.damaged, "exported by a newer version (form \(header.form)): run that version") }
        guard header.key == key.markText else { throw StoreFault(.key, "exported under another key: give that one with --key") }
        guard line.open(key) != nil else { throw StoreFault(.damaged, "line 1: not as it was exported") }
        begun = header.begun
    }
}

extension MasterKey {
    /// Which key it is, and nothing of it.
    fileprivate var markText: String { hexadecimal(mark) }
}

extension Digest256 {
    fileprivate var text: String { hexadecimal(bytes) }
}

private func hexadecimal(_ bytes: [UInt8]) -> String {
    bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
}
