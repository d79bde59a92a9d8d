// `claviger credential export`: everything in the secret store into one sealed file, which another store takes in.

internal import ArgumentParser
internal import Credentials
internal import FoundationEssentials
internal import Gateway
internal import Kernel
internal import Portal

extension CredentialCommand {
    struct Export: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Writes every credential into a file, sealed, for `credential import` at another store.",
            discussion: """
                The file holds each value under AES-256-GCM, with its reference, its user and its server's origin in the clear; the key \
                is made beside it, of mode 0600: keep the two apart. An export that was cut off goes on where it was when run again. \
                Stop deposits meanwhile: what is set or deleted while it runs may be in the file as it was before. No value is printed.
                """)

        @OptionGroup var export: ExportPlace
        @OptionGroup var place: RuntimePlace
        @Flag(help: "Print JSON.") var json = false

        /// How many are asked for at once.
        private static let batch = 50

        func run() throws {
            // Asked first: without a daemon nothing is made.
            let listed = try AdminClient(place: place, patience: .seconds(3600)).ask(for: ReferenceList.self, "credentials")
            if let stopped = listed.stopped { throw CommandFault.failed(listed.lasting == true ? stopped : "\(stopped): run the same command again") }
            var file = try export.open(for: .growing)
            let key = try export.key(makes: try export.isNew(&file))
            var written = ExportFile(key: key)
            try begin(&file, &written)
            let before = written.references.count
            let summary = try write(listed.references.filter { !written.references.contains($0) }, to: file, &written, key)
            try end(&file, written, key)
            let report = ExportReport(
                file: export.file, credentials: written.references.count, earlier: before, gone: summary.gone, unreadable: summary.unreadable)
            print(json ? JSONText.of(report) : report.text)
            if summary.unreadable > 0 { throw CommandFault(kind: .failed, line: nil) }
        }

        /// Reads what an earlier run wrote, drops a line that was cut off, and writes the first line where there is none.
        private func begin(_ file: inout LineFile, _ written: inout ExportFile) throws(CommandFault) {
            do {
                while let line = try file.next(atMost: ExportFile.lineLimit) { try written.take(line) }
                guard !written.isWhole else {
                    let what = "a whole export of \(written.references.count) credentials, begun \(written.begun ?? "")"
                    throw CommandFault.failed("\(export.file): \(what): remove it, or name another file")
                }
                // It may have been there before, empty or copied, and for others to read.
                try file.keepToOwner()
                try file.cut()
                if written.begun == nil {
                    let header = try written.header(begun: Timestamp.text(WallClock.milliseconds() / 1000), nonce: SecureRandom.bytes(12))
                    try file.append([header])
                    try written.take(header)
                }
            } catch {
                throw export.fault(error)
            }
        }

        private func write(
            _ references: [String], to file: borrowing LineFile, _ written: inout ExportFile, _ key: MasterKey
        ) throws(CommandFault) -> (gone: Int, unreadable: Int) {
            let progress = Progress(word: "exported", total: references.count)
            var (gone, unreadable, done) = (0, 0, 0)
            while done < references.count {
                let batch = Array(references[done..<min(done + Export.batch, references.count)])
                let answer = try ask(for: batch, key)
                let lines = answer.lines.map { Array($0.utf8) }
                do {
                    // Taken before it is written: what the daemon gave opens under the key.
                    for line in lines { try written.take(line) }
                    try file.append(lines)
                } catch {
                    throw export.fault(error)
                }
                for one in answer.unreadable { StandardError.say("not exported: \(one.reference): \(one.message)") }
                gone += answer.gone
                unreadable += answer.unreadable.count
                done += batch.count
                progress.show(done)
            }
            return (gone, unreadable)
        }

        private func ask(for references: [String], _ key: MasterKey) throws(CommandFault) -> ExportAnswer {
            var fields: [FieldName: Secret] = [:]
            fields.set("key", key.text)
            fields.set("references", Secret(copying: Array(references.joined(separator: "\n").utf8).span.raw))
            let body = CredentialJSON.write(fields)
            var pauses = transferPauses[...]
            while true {
                let answer = try AdminClient(place: place, patience: .seconds(600)).ask(
                    for: ExportAnswer.self, "credentials/export", method: "POST", body: body.bytes)
                guard let stopped = answer.stopped else {
                    guard answer.lines.count + answer.gone + answer.unreadable.count == references.count else { throw .notUnderstood }
                    return answer
                }
                if answer.lasting == true { throw .failed("\(stopped); what is exported so far is kept, and the same command goes on there") }
                guard let pause = pauses.popFirst() else { throw .failed("\(stopped): run the same command again to go on where it stopped") }
                Thread.pause(for: pause)
            }
        }

        /// Makes the file whole, then reads it once more from its first byte.
        private func end(_ file: inout LineFile, _ written: ExportFile, _ key: MasterKey) throws(CommandFault) {
            do {
                try file.append([try written.trailer(nonce: SecureRandom.bytes(12))])
                try export.sync()
                var read = ExportFile(key: key)
                file.rewind()
                while let line = try file.next(atMost: ExportFile.lineLimit) { try read.take(line) }
                guard read.isWhole, read.references.count == written.references.count else {
                    throw CommandFault.failed("\(export.file): not as it was written: is the disk sound?")
                }
            } catch {
                throw export.fault(error)
            }
        }
    }
}

struct ExportReport: Encodable {
    let file: String
    let credentials: Int
    /// Of them by an earlier run that was cut off.
    let earlier: Int
    /// Deleted while it ran.
    let gone: Int
    let unreadable: Int

    var text: String {
        var words = ["exported \(credentials) credentials to \(file), verified"]
        if earlier > 0 { words.append("\(earlier) of them by an earlier run") }
        if gone > 0 { words.append("\(gone) deleted meanwhile") }
        if unreadable > 0 { words.append("\(unreadable) could not be read: mend or delete them, remove the file, and export again") }
        return words.joined(separator: "; ")
    }
}

extension [FieldName: Secret] {
    /// - Parameter name: a literal that is a field's name.
    mutating func set(_ name: String, _ value: Secret) {
        guard let field = FieldName(name) else { preconditionFailure("a literal field name is one") }
        self[field] = value
    }
}
