// What the API needs for moving credentials from store to store, and the forms it speaks of them in.

package import Credentials
package import Gateway

/// Where credentials leave for another store, and come in from one. References have no store's prefix.
package protocol ExportDesk: Sendable {
    func references() async throws(DepositFault) -> [Reference]
    func export(_ references: [Reference], under key: MasterKey) async throws(DepositFault) -> ExportedBatch
    func take(_ lines: [[UInt8]], under key: MasterKey, replacing: Bool) async -> ImportedBatch
}

/// `GET /api/v1/credentials`.
package struct ReferenceList: Codable, Equatable, Sendable {
    package let references: [String]
    /// Why there are none.
    package let stopped: String?
    /// True where that stays so until somebody mends it; absent where what failed may succeed later.
    package let lasting: Bool?
}

/// `POST /api/v1/credentials/export`: `key` is 64 hexadecimal digits, `references` one a line.
package struct ExportAnswer: Codable, Equatable, Sendable {
    package struct Unreadable: Codable, Equatable, Sendable {
        package let reference: String
        package let message: String
    }

    /// Each a line of the file.
    package let lines: [String]
    /// How many of the references have no value any more.
    package let gone: Int
    package let unreadable: [Unreadable]
    /// Why nothing was exported.
    package let stopped: String?
    /// True where that stays so until somebody mends it; absent where what failed may succeed later.
    package let lasting: Bool?
}

/// `POST /api/v1/credentials/import`: `key`, `lines` of the file, and `replace`, `yes` or `no`.
package struct ImportAnswer: Codable, Equatable, Sendable {
    package struct Result: Codable, Equatable, Sendable {
        package enum Outcome: String, Codable, Sendable { case imported, present, conflicting, failed }

        package let reference: String
        package let outcome: Outcome
        /// Why not, and the remedy.
        package let message: String?
    }

    /// In the order of the lines, as far as it came.
    package let results: [Result]
    /// Why it came no further.
    package let stopped: String?
    /// True where that stays so until somebody mends it; absent where what failed may succeed later.
    package let lasting: Bool?
}

extension ImportAnswer.Result {
    init(_ reference: String, _ outcome: ImportOutcome) {
        self.reference = reference
        switch outcome {
        case .imported: (self.outcome, message) = (.imported, nil)
        case .present: (self.outcome, message) = (.present, nil)
        case .conflicting(let words): (self.outcome, message) = (.conflicting, words)
        case .failed(let words): (self.outcome, message) = (.failed, words)
        }
    }
}
