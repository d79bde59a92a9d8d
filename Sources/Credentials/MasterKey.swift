// The key that seals the files: 32 bytes, from a reference in the configuration or from a key file of the state directory.

package import Gateway
internal import Kernel
internal import TLS

/// A key of AES-256. Its bytes are a `Secret`.
package final class MasterKey: Sendable {
    let bytes: Secret
    /// Seven bytes that say which key it is and nothing of it: what tells a wrong key from a damaged file.
    let mark: [UInt8]

    /// The name of the key file in the state directory.
    package static let fileName = "master.key"

    /// - Parameter text: 32 bytes as 64 hexadecimal digits or as base64 (RFC 4648, section 4; padded or not), or the 32 bytes themselves.
    ///   White space at the end does not count.
    /// - Parameter origin: where it is from, for the fault's words.
    package convenience init(_ text: Secret, from origin: String) throws(StoreFault) {
        var end = text.count
        if end != 32 {
            while end > 0, [0x20, 0x09, 0x0A, 0x0D].contains(text.bytes[end - 1]) { end -= 1 }
        }
        let key: LockedBuffer? =
            switch end {
            case 32: LockedBuffer(copying: text.bytes.extracting(first: 32))
            case 64: MasterKey.hexadecimal(text.bytes.extracting(first: end))
            case 43, 44: MasterKey.base64(text.bytes.extracting(first: end))
            default: nil
            }
        guard let key, key.count == 32 else {
            throw StoreFault(.key, "\(origin): a master key is 32 bytes, written as 64 hexadecimal digits or as base64")
        }
        self.init(Secret(key))
    }

    private init(_ bytes: Secret) {
        self.bytes = bytes
        var marked = LockedBuffer(capacity: 64)
        marked.append("claviger sealed files: which key")
        marked.append(bytes.bytes)
        mark = Array(Digest256(hashing: marked.bytes).bytes.prefix(7))
    }

    /// The key in `STATE/master.key`; where there is none, a new one, which is durable before it is returned.
    ///
    /// - Parameters:
    ///   - state: the state directory, which exists.
    ///   - isNeeded: whether something was sealed before: then a new key would open none of it, and a missing one is a fault.
    /// - Throws: `StoreFault` of kind `key` for a file that others may read, or that holds no key; `unavailable` where it cannot be read or made.
    package static func load(fromState state: String, isNeeded: Bool) throws(StoreFault) -> MasterKey {
        let remedy = "there are sealed files: put it back from the backup, or remove the files"
        return try load(fileName, in: state, unlessMissing: isNeeded ? remedy : nil)
    }

    /// The key in a file of its own, or a new one.
    ///
    /// - Parameters:
    ///   - state: the directory, which exists.
    ///   - remedy: what to say where there is no such file; nil = one is made, and durable before it is returned.
    /// - Throws: as `load(fromState:isNeeded:)`.
    package static func load(_ fileName: String, in state: String, unlessMissing remedy: String?) throws(StoreFault) -> MasterKey {
        let path = "\(state)/\(fileName)"
        let directory = try StoreFault.attempt(state) { () throws(SystemFault) in try Directory(state) }
        guard let content = try StoreFault.attempt(path, { () throws(SystemFault) in try directory.read(fileName, atMost: 4096) }) else {
            if let remedy { throw StoreFault(.key, "\(path): missing, but \(remedy)") }
            return try StoreFault.attempt(path) { () throws(SystemFault) in try make(fileName, in: directory) }
        }
        guard content.status.mode & 0o077 == 0 else {
            throw StoreFault(.key, "\(path): others may read it: chmod 600 \(path), and replace the key if they may have read it")
        }
        guard content.status.owner == effectiveUser || content.status.owner == 0 else {
            throw StoreFault(.key, "\(path): it belongs to another user: chown it to the one that the daemon runs as")
        }
        return try MasterKey(Secret(copying: content.bytes), from: path)
    }

    /// Written aside and linked into place: the name is given once, and never to half a key.
    private static func make(_ fileName: String, in directory: Directory) throws(SystemFault) -> MasterKey {
        let key = MasterKey(Secret.random(count: 32))
        var text = LockedBuffer(copying: key.text.bytes)
        text.append("\n")
        let aside = ".\(fileName).\(SecureRandom.bytes(8).map { String($0, radix: 16) }.joined())"
        let file = try directory.create(aside, mode: 0o600)
        try file.write(text.bytes)
        try file.sync()
        try directory.link(aside, to: fileName)
        try directory.remove(aside)
        try directory.sync()
        return key
    }

    /// As 64 hexadecimal digits.
    package var text: Secret {
        var text = LockedBuffer(capacity: 64)
        let key = bytes
        for at in 0..<key.count {
            let byte = key.bytes[at]
            for digit in [byte >> 4, byte & 15] { text.append(byte: digit < 10 ? 48 + digit : 87 + digit) }
        }
        return Secret(text)
    }

    private static func hexadecimal(_ text: RawSpan) -> LockedBuffer? {
        var key = LockedBuffer(capacity: 32)
        for at in stride(from: 0, to: text.byteCount, by: 2) {
            guard let high = digit(text[at]), let low = digit(text[at + 1]) else { return nil }
            key.append(byte: high << 4 | low)
        }
        return key
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - 48
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - 87
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - 55
        default: nil
        }
    }

    /// 43 digits and a padding or none; the last digit's low bits are zero (RFC 4648, section 3.5).
    private static func base64(_ text: RawSpan) -> LockedBuffer? {
        guard text.byteCount == 43 || text[43] == UInt8(ascii: "=") else { return nil }
        var key = LockedBuffer(capacity: 32)
        var pending: UInt32 = 0
        var bits: UInt32 = 0
        for at in 0..<43 {
            let value: UInt8
            switch text[at] {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = text[at] - 65
            case UInt8(ascii: "a")...UInt8(ascii: "z"): value = text[at] - 71
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = text[at] + 4
            case UInt8(ascii: "+"), UInt8(ascii: "-"): value = 62
            case UInt8(ascii: "/"), UInt8(ascii: "_"): value = 63
            default: return nil
            }
            pending = pending << 6 | UInt32(value)
            bits += 6
            guard bits >= 8 else { continue }
            bits -= 8
            key.append(byte: UInt8(truncatingIfNeeded: pending >> bits))
        }
        guard pending & 3 == 0 else { return nil }
        return key
    }
}
