// `claviger credential import`: what was exported from one secret store into the one of the running daemon.

internal import ArgumentParser
internal import Credentials
internal import FoundationEssentials
internal import Gateway
internal import Kernel
internal import Portal

extension CredentialCommand {
    struct Import: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Puts every credential of an export into the daemon's secret store; in force for the next request.",
            discussion: """
                The file is read whole first: one that was cut off or changed is refused, and nothing is written. Each value is read back \
                from the store after it was written. What is there already with the same value is left, so an import that was cut off is \
                simply run again; what is there with another value stays too, and is named, unless --replace is given. No value is printed.
                """)

        @OptionGroup var export: ExportPlace
        @Flag(help: "Exported values take the place of others that are there.") var replace = false
        @OptionGroup var place: RuntimePlace
        @Flag(help: "Print JSON.") var json = false

        /// How many are sent at once, and in how many bytes unless one alone has more.
        private static let batch = (lines: 10, bytes: 256 << 10)

        func run() throws {
            var file = try export.open(for: .reading)
            _ = try export.isNew(&file)
            let key = try export.key(makes: false)
            let count = try verify(&file, key)
            var report = ImportReport(file: export.file, credentials: count)
            try send(&file, key, &report)
            print(json ? JSONText.of(report) : report.text)
            if report.conflicting + report.failed > 0 { throw CommandFault(kind: .failed, line: nil) }
        }

        /// - Returns: how many credentials it has.
        /// - Throws: where it is not whole, or not as it was exported.
        private func verify(_ file: inout LineFile, _ key: MasterKey) throws(CommandFault) -> Int {
            var read = ExportFile(key: key)
            do {
                while let line = try file.next(atMost: ExportFile.lineLimit) { try read.take(line) }
                file.rewind()
            } catch {
                throw export.fault(error)
            }
            guard read.isWhole else {
                throw .failed("\(export.file): its last line is missing, the export was cut off: run the export again, it goes on where it stopped")
            }
            return read.references.count
        }

        private func send(_ file: inout LineFile, _ key: MasterKey, _ report: inout ImportReport) throws(CommandFault) {
            let progress = Progress(word: "imported", total: report.credentials)
            var (lines, bytes, number) = ([[UInt8]](), 0, 0)
            do {
                while let line = try file.next(atMost: ExportFile.lineLimit) {
                    number += 1
                    // The first line and the last carry no credential.
                    guard number > 1, number <= report.credentials + 1 else { continue }
                    if lines.count == Import.batch.lines || bytes + line.count > Import.batch.bytes, !lines.isEmpty {
                        try send(lines, key, &report)
                        progress.show(report.done)
                        (lines, bytes) = ([], 0)
                    }
                    lines.append(line)
                    bytes += line.count
                }
                if !lines.isEmpty { try send(lines, key, &report) }
                progress.show(report.done)
            } catch {
                throw export.fault(error)
            }
        }

        private func send(_ lines: [[UInt8]], _ key: MasterKey, _ report: inout ImportReport) throws(CommandFault) {
            var rest = lines[...]
            var pauses = transferPauses[...]
            while !rest.isEmpty {
                let answer = try ask(rest, key)
                for result in answer.results { report.count(result) }
                rest = rest.dropFirst(answer.results.count)
                guard let stopped = answer.stopped, !rest.isEmpty else { continue }
                if answer.lasting == true { throw .failed("\(stopped); \(report.done) of \(report.credentials) are done, and the same command goes on there") }
                if !answer.results.isEmpty { pauses = transferPauses[...] }
                guard let pause = pauses.popFirst() else {
                    throw .failed("\(stopped): \(report.done) of \(report.credentials) are done; run the same command again to go on")
                }
                Thread.pause(for: pause)
            }
        }

        private func ask(_ lines: ArraySlice<[UInt8]>, _ key: MasterKey) throws(CommandFault) -> ImportAnswer {
            var fields: [FieldName: Secret] = [:]
            fields.set("key", key.text)
            fields.set("lines", Secret(copying: Array(lines.joined(separator: [UInt8(ascii: "\n")])).span.raw))
            fields.set("replace", Secret(copying: Array((replace ? "yes" : "no").utf8).span.raw))
            let body = CredentialJSON.write(fields)
            let answer = try AdminClient(place: place, patience: .seconds(600)).ask(
                for: ImportAnswer.self, "credentials/import", method: "POST", body: body.bytes)
            guard answer.results.count == lines.count || answer.stopped != nil, answer.results.count <= lines.count else {
                throw .notUnderstood
            }
            return answer
        }
    }
}

struct ImportReport: Encodable {
    let file: String
    let credentials: Int
    private(set) var imported = 0
    private(set) var present = 0
    private(set) var conflicting = 0
    private(set) var failed = 0

    init(file: String, credentials: Int) {
        self.file = file
        self.credentials = credentials
    }

    var done: Int { imported + present + conflicting + failed }

    /// Counts it, and says what went wrong.
    mutating func count(_ result: ImportAnswer.Result) {
        switch result.outcome {
        case .imported: imported += 1
        case .present: present += 1
        case .conflicting: conflicting += 1
        case .failed: failed += 1
        }
        if let message = result.message { StandardError.say("not imported: \(result.reference): \(message)") }
    }

    var text: String {
        var words = ["imported \(imported) of \(credentials) credentials from \(file), each read back"]
        if present > 0 { words.append("\(present) were there already") }
        if conflicting > 0 { words.append("\(conflicting) conflict with what is there") }
        if failed > 0 { words.append("\(failed) failed") }
        return words.joined(separator: "; ")
    }
}
