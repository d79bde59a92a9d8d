// The key under which the log hashes users: kept, so that a person has one label over restarts.

internal import Kernel
internal import TLS

enum LogKey {
    static let fileName = "log.key"

    /// From `STATE/log.key`; made there, 32 random bytes of mode 0600, where there is none.
    static func load(fromState path: String) throws(CommandFault) -> KeyedDigest {
        do throws(SystemFault) {
            let directory = try Directory(path)
            if let file = try directory.read(fileName, atMost: 64), file.bytes.byteCount == 32 { return KeyedDigest(key: file.bytes) }
            let key = SecureRandom.bytes(32)
            try directory.remove("\(fileName).new")
            let file = try directory.create("\(fileName).new", mode: 0o600)
            try file.write(key.span.raw)
            try file.sync()
            try directory.rename("\(fileName).new", to: fileName)
            try directory.sync()
            return KeyedDigest(key: key.span.raw)
        } catch {
            throw .failed("\(path)/\(fileName): \(error.reason): the state directory must be the daemon's own")
        }
    }
}
