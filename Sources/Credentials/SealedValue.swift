// A sealed file's content: who wrote it, with which key, and the value under AES-256-GCM.

internal import Gateway
internal import Kernel
internal import TLS

/// Offset 0: `claviger`. 8: the form's version, 1. 9: the key's mark, 7 bytes. 16: the nonce, 12 bytes. 28: ciphertext and tag.
/// The first 16 bytes and the reference's path are authenticated with the value: no file can take another's place.
enum SealedValue {
    private static let magic: StaticString = "claviger"
    private static let version: UInt8 = 1
    private static let header = 16
    private static let start = header + AESGCM.nonceLength

    /// Of a file: what a value of 64 KiB seals to.
    static let limit = 64 << 10 + start + AESGCM.tagLength

    /// - Parameter nonce: 12 bytes that were never used with this key.
    static func seal(_ value: Secret, at reference: Reference, key: MasterKey, nonce: [UInt8]) throws(StoreFault) -> [UInt8] {
        guard value.count <= 64 << 10 else { throw StoreFault(.unavailable, "\(reference): a value has at most 64 KiB") }
        var content = associated(with: reference, key)
        let secret = key.bytes
        let sealed: [UInt8]
        do {
            sealed = try AESGCM.seal(value.bytes, key: secret.bytes, nonce: nonce.span.raw, associated: content.span.raw)
        } catch {
            throw StoreFault(.unavailable, "\(reference): OpenSSL cannot seal (\(error)): is its default provider loaded?")
        }
        content.removeSubrange(header...)
        return content + nonce + sealed
    }

    /// - Parameter path: of the file, for the fault's words.
    static func open(_ content: RawSpan, at reference: Reference, key: MasterKey, path: String) throws(StoreFault) -> Secret {
        guard content.byteCount >= start + AESGCM.tagLength, hasMagic(content) else {
            throw StoreFault(.damaged, "\(path): not a sealed file: move it away, and deposit the credential again")
        }
        guard content[8] == version else {
            throw StoreFault(.damaged, "\(path): sealed by a newer version (form \(content[8])): run that version")
        }
        guard mark(of: content) == key.mark else {
            throw StoreFault(.key, "\(path): sealed with another master key: put that key back, or remove the file and deposit the credential again")
        }
        let secret = key.bytes
        var value = LockedBuffer(capacity: content.byteCount)
        do {
            try value.fill(content.byteCount - start - AESGCM.tagLength) { (space: inout MutableRawSpan) throws(SealFault) in
                try AESGCM.open(
                    content.extracting(start..<content.byteCount), key: secret.bytes, nonce: content.extracting(header..<start),
                    associated: associated(with: reference, key).span.raw, into: &space)
            }
        } catch {
            throw StoreFault(.damaged, "\(path): damaged, or renamed: put it back from the backup, or remove it and deposit the credential again")
        }
        return Secret(value)
    }

    /// Whether this is sealed, and with another key.
    static func isForeign(_ content: RawSpan, to key: MasterKey) -> Bool {
        content.byteCount >= header && hasMagic(content) && mark(of: content) != key.mark
    }

    private static func associated(with reference: Reference, _ key: MasterKey) -> [UInt8] {
        Array(magic.description.utf8) + [version] + key.mark + Array(reference.path.utf8)
    }

    private static func hasMagic(_ content: RawSpan) -> Bool {
        content.extracting(first: magic.utf8CodeUnitCount).copied() == Array(magic.description.utf8)
    }

    private static func mark(of content: RawSpan) -> [UInt8] {
        content.extracting(9..<header).copied()
    }
}
