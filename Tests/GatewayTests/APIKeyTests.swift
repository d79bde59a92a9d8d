// A key's form, and what proves it.

import Gateway
import Kernel
import Testing

@Suite struct APIKeyTests {
    static let snapshot = Result { try Sample.snapshot() }

    static func refusal(of text: String, at wallClock: Int64 = Sample.wallClock) throws -> Refusal? {
        let snapshot = try snapshot.get()
        do {
            _ = try APIKey.entry(for: Array(text.utf8).span.raw, in: snapshot, wallClock: wallClock, recalling: nil)
            return nil
        } catch { return error }
    }

    @Test func `the right secret proves the key`() throws {
        let entry = try APIKey.entry(for: Array(Sample.key.utf8).span.raw, in: Self.snapshot.get(), wallClock: Sample.wallClock, recalling: nil)
        #expect(entry.id.description == "7q2m4k")
    }

    @Test(arguments: [
        "", "ck_", "ck_7q2m4k", "ck_7q2m4k.", "ck_7q2m4k.short", "7q2m4k.\(Sample.secret)", "CK_7q2m4k.\(Sample.secret)",
        "ck_7Q2M4K.\(Sample.secret)", "ck_7q2.\(Sample.secret)", "ck_12345678901234567.\(Sample.secret)", "ck_7q2m4k.\(Sample.secret)A",
        "ck_7q2m4k.\(Sample.secret.dropLast())=", "ck_7q2m4k.\(Sample.secret.dropLast())", "ck_7q2m4k..\(Sample.secret.dropLast())",
        "ck_7q2m4k.\(Sample.secret), ck_7q2m4k.\(Sample.secret)", "Bearer ck_7q2m4k.\(Sample.secret)", "ck-7q2m4k.\(Sample.secret)",
        "ck_7q2m4k.\(Sample.otherSecret)", "ck_nobody.\(Sample.secret)", Sample.expiredKey,
    ])
    func `missing form, unknown id, wrong secret and expiry are one refusal`(_ text: String) throws {
        #expect(try Self.refusal(of: text)?.code == .unauthenticated)
    }

    @Test func `a key lives until the second of its expiry`() throws {
        #expect(try Self.refusal(of: Sample.everyonesKey, at: Sample.wallClock) == nil)
        #expect(try Self.refusal(of: Sample.everyonesKey, at: Sample.wallClock + 1)?.code == .unauthenticated)
    }

    @Test func `no single changed byte proves the key`() throws {
        for at in Sample.key.utf8.indices {
            let offset = Sample.key.utf8.distance(from: Sample.key.utf8.startIndex, to: at)
            var bytes = Array(Sample.key.utf8)
            for change: UInt8 in [1, 0x20, 0x80] {
                bytes[offset] ^= change
                #expect(try Self.refusal(of: String(decoding: bytes, as: UTF8.self))?.code == .unauthenticated)
                bytes[offset] ^= change
            }
        }
    }
}
