// AES-256-GCM against the vectors of its authors, and against tampering.

internal import Kernel
internal import TLS
import Testing

@Suite struct AESGCMTests {
    // McGrew and Viega, "The Galois/Counter Mode of Operation", test cases 13, 14 and 16.
    static let vectors = [
        (
            key: String(repeating: "00", count: 32), nonce: String(repeating: "00", count: 12), associated: "", plaintext: "",
            sealed: "530f8afbc74536b9a963b4f1c4cb738b"
        ),
        (
            key: String(repeating: "00", count: 32), nonce: String(repeating: "00", count: 12), associated: "",
            plaintext: String(repeating: "00", count: 16),
            sealed: "cea7403d4d606b6e074ec5d3baf39d18 d0d1c8a799996bf0265b98b5d48ab919"
        ),
        (
            key: "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", nonce: "cafebabefacedbaddecaf888",
            associated: "feedfacedeadbeeffeedfacedeadbeefabaddad2",
            plaintext: """
                d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72
                1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39
                """,
            sealed: """
                522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa
                8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662 76fc6ece0f4e1768cddf8853bb2d551b
                """
        ),
    ]

    @Test(arguments: vectors.indices) func `the published vectors come out`(index: Int) throws {
        let vector = Self.vectors[index]
        let (key, nonce, associated) = (bytes(vector.key), bytes(vector.nonce), bytes(vector.associated))
        let plaintext = bytes(vector.plaintext)
        let sealed = try AESGCM.seal(
            plaintext.span.raw, key: key.span.raw, nonce: nonce.span.raw, associated: associated.span.raw)
        #expect(sealed == bytes(vector.sealed))
        let opened = try AESGCM.open(
            sealed.span.raw, key: key.span.raw, nonce: nonce.span.raw, associated: associated.span.raw)
        let content = opened.bytes.copied()
        #expect(content == plaintext)
    }

    @Test func `what is opened lands in the caller's memory`() throws {
        let sealed = try sample()
        let (count, content) = try open(sealed, room: 20)
        #expect(count == plaintext.count)
        #expect(content == plaintext + [UInt8](repeating: 0, count: 20 - plaintext.count))
    }

    @Test func `one changed bit anywhere opens nothing and leaves nothing`() throws {
        let sealed = try sample()
        for at in sealed.indices {
            var changed = sealed
            changed[at] ^= 0x10
            var target = WipedBytes(count: plaintext.count)
            var span = target.mutableBytes
            do throws(SealFault) {
                _ = try AESGCM.open(
                    changed.span.raw, key: key.span.raw, nonce: nonce.span.raw, associated: associated.span.raw, into: &span)
                Issue.record("opened with byte \(at) changed")
            } catch {
                #expect(error == .notAuthentic)
            }
            let left = target.bytes.copied()
            #expect(left == [UInt8](repeating: 0, count: plaintext.count))
        }
    }

    @Test func `another key, nonce or associated text opens nothing`() throws {
        let sealed = try sample()
        func opens(_ key: [UInt8], _ nonce: [UInt8], _ associated: [UInt8]) -> Bool {
            do throws(SealFault) {
                _ = try AESGCM.open(
                    sealed.span.raw, key: key.span.raw, nonce: nonce.span.raw, associated: associated.span.raw)
                return true
            } catch {
                #expect(error == .notAuthentic)
                return false
            }
        }
        #expect(opens(key, nonce, associated))
        #expect(!opens([1] + key.dropFirst(), nonce, associated))
        #expect(!opens(key, [1] + nonce.dropFirst(), associated))
        #expect(!opens(key, nonce, associated + [0]))
        #expect(!opens(key, nonce, []))
    }

    @Test func `wrong lengths are refused, not trapped on`() throws {
        let sealed = try sample()
        func fault(_ sealed: [UInt8], key: [UInt8], nonce: [UInt8], room: Int) -> SealFault? {
            var target = WipedBytes(count: room)
            var span = target.mutableBytes
            do throws(SealFault) {
                _ = try AESGCM.open(
                    sealed.span.raw, key: key.span.raw, nonce: nonce.span.raw, associated: associated.span.raw, into: &span)
                return nil
            } catch {
                return error
            }
        }
        #expect(fault(sealed, key: key, nonce: nonce, room: plaintext.count) == nil)
        #expect(fault(sealed, key: key, nonce: nonce, room: plaintext.count - 1) == .malformed)
        #expect(fault(Array(sealed.prefix(15)), key: key, nonce: nonce, room: 100) == .malformed)
        #expect(fault([], key: key, nonce: nonce, room: 100) == .malformed)
        #expect(fault(sealed, key: Array(key.dropLast()), nonce: nonce, room: 100) == .malformed)
        #expect(fault(sealed, key: key, nonce: nonce + [0], room: 100) == .malformed)
    }

    let key = [UInt8](0..<32)
    let nonce = [UInt8](100..<112)
    let associated = Array("acme/shared/crm".utf8)
    let plaintext = Array(#"{"token":"s"}"#.utf8)

    func sample() throws -> [UInt8] {
        try AESGCM.seal(plaintext.span.raw, key: key.span.raw, nonce: nonce.span.raw, associated: associated.span.raw)
    }

    /// How many bytes were opened, and all that the target then held.
    func open(_ sealed: [UInt8], room: Int) throws -> (Int, [UInt8]) {
        var target = WipedBytes(count: room)
        var span = target.mutableBytes
        let count = try AESGCM.open(
            sealed.span.raw, key: key.span.raw, nonce: nonce.span.raw, associated: associated.span.raw, into: &span)
        return (count, target.bytes.copied())
    }
}
