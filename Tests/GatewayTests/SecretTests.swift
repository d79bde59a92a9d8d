// Secret: what goes in comes out, and nothing prints it.

import Gateway
import Kernel
import Testing

@Suite struct SecretTests {
    private let canary = "s3cr3t-canary-0123456789"

    private func secret() -> Secret { Secret(copying: canary.utf8Span.span.raw) }

    @Test func `the bytes come back as they went in`() {
        #expect(secret().bytes.copied() == Array(canary.utf8))
        #expect(secret().count == canary.utf8.count)
    }

    @Test func `an empty secret is empty`() {
        let empty = Secret(LockedBuffer(capacity: 0))
        #expect(empty.count == 0)
        #expect(empty.bytes.copied() == [])
    }

    @Test func `secrets are the same when every byte is`() {
        let same = Array(canary.utf8)
        #expect(secret().isSame(as: secret()))
        for place in same.indices {
            var other = same
            other[place] ^= 0x80
            #expect(!secret().isSame(as: Secret(copying: other.span.raw)))
        }
        for other in [same.dropLast(), same + [0], []] { #expect(!secret().isSame(as: Secret(copying: Array(other).span.raw))) }
        #expect(Secret(copying: RawSpan()).isSame(as: Secret(copying: RawSpan())))
    }

    @Test func `a secret is built from parts`() {
        var buffer = LockedBuffer(capacity: 1)
        buffer.append("Authorization: Bearer ")
        buffer.append(secret().bytes)
        buffer.append(byte: 0x0D)
        #expect(Secret(buffer).bytes.copied() == Array("Authorization: Bearer \(canary)\r".utf8))
    }

    @Test func `printing, dumping and reflecting never show it`() {
        struct Holder { let name = "token", value: Secret, list: [Secret], optional: Secret? }
        let secret = secret()
        let holder = Holder(value: secret, list: [secret], optional: secret)
        var written = "\(secret) \(holder) \(String(describing: secret)) \(String(reflecting: secret)) \(String(reflecting: holder))"
        print(secret, holder, to: &written)
        debugPrint(secret, holder, to: &written)
        dump(secret, to: &written)
        dump(holder, to: &written)
        let hexadecimal = canary.utf8.map { String($0, radix: 16) }.joined()
        #expect(!written.contains(canary))
        #expect(!written.contains("s3cr"))
        #expect(!written.contains(hexadecimal))
        #expect(!written.contains("0x"), "nor where it is")
        #expect(Mirror(reflecting: secret).children.isEmpty)
    }

    @Test func `random secrets have the length asked for and differ`() {
        let one = Secret.random(count: 32)
        #expect(one.count == 32)
        #expect(one.bytes.copied() != Secret.random(count: 32).bytes.copied())
    }
}
