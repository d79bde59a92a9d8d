// conf.d: which files of the directory are the configuration, and whether they may be trusted.

internal import FoundationEssentials
internal import Gateway
internal import Kernel
internal import TLS

struct SourceDirectory {
    /// In name order.
    let files: [SourceFile]
    /// Of the files' names and bytes.
    let digest: Digest256

    /// More is no file of settings.
    private static let largest = 4 << 20

    /// Reads every `*.yaml` of `path`. Names that begin with a dot are left alone, as editors and packagers make them.
    init(_ path: String, _ reading: Reading) {
        var root = path
        while root.utf8.count > 1, root.hasSuffix("/") { root.removeLast() }
        let place = Position(file: root, line: 1, column: 1)
        var files: [SourceFile] = []
        var digested: [UInt8] = []
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: root) else {
            reading.error(place, "is no directory that can be read; name the configuration's with `--config DIR`")
            (self.files, digest) = ([], Digest256(hashing: digested.span.raw))
            return
        }
        if let fault = RegularFile.exposure(root) { reading.error(place, "is not safe to take settings from: \(fault)") }
        // Bytes decide the order: a locale's would differ between machines.
        for name in names.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) where !name.hasPrefix(".") {
            let file = "\(root)/\(name)"
            if name.hasSuffix(".yml") {
                reading.warning(Position(file: file, line: 1, column: 1), "is not read: files end in `.yaml`; rename it, or take it away")
            }
            guard name.hasSuffix(".yaml"), let bytes = SourceDirectory.bytes(file, reading) else { continue }
            digested += Array(name.utf8) + [0] + Digest256(hashing: bytes.span.raw).bytes
            files.append(SourceFile(path: file, bytes: bytes, reading))
        }
        if !reading.hasErrors, files.allSatisfy({ $0.tree == nil }) {
            reading.error(place, "holds no configuration; put settings into a file such as `claviger.yaml` there, or name another directory with `--config DIR`")
        }
        self.files = files
        digest = Digest256(hashing: digested.span.raw)
    }

    private static func bytes(_ file: String, _ reading: Reading) -> [UInt8]? {
        let place = Position(file: file, line: 1, column: 1)
        if let fault = RegularFile.exposure(file) { reading.error(place, "is not safe to take settings from: \(fault)") }
        guard let bytes = RegularFile.contents(file) else {
            reading.error(place, "cannot be read; check that it is a file and who may read it")
            return nil
        }
        guard bytes.count <= largest else {
            reading.error(place, "is larger than 4 MiB; spread servers and projects over several files")
            return nil
        }
        return bytes
    }
}
