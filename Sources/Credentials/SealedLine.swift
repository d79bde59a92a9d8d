// A line of an export: JSON in the clear, and behind it a value that is sealed and bound to every byte of it.

internal import FoundationEssentials
internal import Gateway
internal import Kernel
internal import TLS

/// `{…,"sealed":"BASE64"}`: nonce, ciphertext and tag of AES-256-GCM, with everything before `,"sealed"` as associated bytes.
struct SealedLine {
    /// Everything before `,"sealed"`.
    private let head: [UInt8]
    private let sealed: [UInt8]

    /// A line's bytes at most: of a value of 64 KiB.
    static var limit: Int { 96 << 10 }

    private static let mark = Array(#","sealed":""#.utf8)
    private static let end = Array(#""}"#.utf8)

    /// - Parameter nonce: 12 bytes that were never used with this key.
    init(_ head: some Encodable, _ value: RawSpan, key: MasterKey, nonce: [UInt8]) throws(StoreFault) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Our own shapes are text and numbers, which always encode; the last byte is the closing brace.
        let open = Array(((try? encoder.encode(head)) ?? Data()).dropLast())
        let secret = key.bytes
        do {
            sealed = try nonce + AESGCM.seal(value, key: secret.bytes, nonce: nonce.span.raw, associated: open.span.raw)
            self.head = open
        } catch {
            throw StoreFault(.unavailable, "OpenSSL cannot seal (\(error)): is its default provider loaded?")
        }
    }

    /// Nil for what no line of ours can be.
    init?(_ line: [UInt8]) {
        guard line.count <= SealedLine.limit, line.ends(with: SealedLine.end),
            let at = line.lastIndex(of: UInt8(ascii: ",")), line[at...].starts(with: SealedLine.mark),
            let sealed = Data(base64Encoded: Data(line[(at + SealedLine.mark.count)..<(line.count - SealedLine.end.count)])),
            sealed.count >= AESGCM.nonceLength + AESGCM.tagLength
        else { return nil }
        head = Array(line[..<at])
        self.sealed = Array(sealed)
    }

    var bytes: [UInt8] {
        head + SealedLine.mark + Array(Data(sealed).base64EncodedData()) + SealedLine.end
    }

    /// What stands in the clear; nil where it is of another form. Only what `open` took is to be believed.
    func decode<Head: Decodable>(_ type: Head.Type) -> Head? {
        try? JSONDecoder().decode(type, from: Data(head + [UInt8(ascii: "}")]))
    }

    /// The value; nil where the line is not, byte for byte, what was sealed with this key.
    func open(_ key: MasterKey) -> Secret? {
        let secret = key.bytes
        let count = sealed.count - AESGCM.nonceLength - AESGCM.tagLength
        var value = LockedBuffer(capacity: count)
        do {
            try value.fill(count) { (space: inout MutableRawSpan) throws(SealFault) in
                let bytes = sealed.span.raw
                return try AESGCM.open(
                    bytes.extracting(AESGCM.nonceLength..<bytes.byteCount), key: secret.bytes, nonce: bytes.extracting(first: AESGCM.nonceLength),
                    associated: head.span.raw, into: &space)
            }
        } catch {
            return nil
        }
        return Secret(value)
    }
}

extension [UInt8] {
    fileprivate func ends(with suffix: [UInt8]) -> Bool {
        count >= suffix.count && self[(count - suffix.count)...].elementsEqual(suffix)
    }
}
