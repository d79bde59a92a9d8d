// What can sign, and that what it signs verifies.

internal import COpenSSL
import Kernel
import TLS
import Testing

@Suite struct SigningKeyTests {
    /// A fresh key, as PEM.
    @safe private final class Made {
        private let key: OpaquePointer

        /// - Parameter kind: `RSA`, `RSA-PSS`, `EC` or `ED25519`.
        init(_ kind: String, bits: Int = 2048, group: String = "P-256") throws {
            let context = try unsafe #require(EVP_PKEY_CTX_new_from_name(nil, kind, nil))
            defer { unsafe EVP_PKEY_CTX_free(context) }
            try unsafe #require(EVP_PKEY_keygen_init(context) == 1)
            if kind.hasPrefix("RSA") { try unsafe #require(EVP_PKEY_CTX_set_rsa_keygen_bits(context, Int32(bits)) == 1) }
            if kind == "EC" { try unsafe #require(EVP_PKEY_CTX_set_group_name(context, group) == 1) }
            var made: OpaquePointer?
            try unsafe #require(EVP_PKEY_keygen(context, &made) == 1)
            unsafe key = try unsafe #require(made)
        }

        deinit { unsafe EVP_PKEY_free(key) }

        func pem(passphrase: String? = nil, isTraditional: Bool = false) -> [UInt8] {
            let bio = unsafe BIO_new(BIO_s_mem())
            defer { unsafe BIO_free(bio) }
            if isTraditional {
                unsafe PEM_write_bio_PrivateKey_traditional(bio, key, nil, nil, 0, nil, nil)
            } else if let passphrase {
                var bytes = Array(passphrase.utf8)
                unsafe PEM_write_bio_PrivateKey(bio, key, EVP_aes_256_cbc(), &bytes, Int32(bytes.count), nil, nil)
            } else {
                unsafe PEM_write_bio_PrivateKey(bio, key, nil, nil, 0, nil, nil)
            }
            var text = [UInt8](repeating: 0, count: 16 << 10)
            let count = unsafe BIO_read(bio, &text, Int32(text.count))
            return Array(text.prefix(Int(max(count, 0))))
        }

        func publicPEM() -> [UInt8] {
            let bio = unsafe BIO_new(BIO_s_mem())
            defer { unsafe BIO_free(bio) }
            unsafe PEM_write_bio_PUBKEY(bio, key)
            var text = [UInt8](repeating: 0, count: 16 << 10)
            let count = unsafe BIO_read(bio, &text, Int32(text.count))
            return Array(text.prefix(Int(max(count, 0))))
        }

        /// - Parameter signature: as JWS has it.
        func verifies(_ signature: [UInt8], of message: [UInt8], _ algorithm: SigningKey.Algorithm) throws -> Bool {
            var form = signature
            if algorithm == .es256 {
                func number(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
                    var bytes = Array(bytes.drop { $0 == 0 })
                    if let first = bytes.first, first >= 0x80 { bytes.insert(0, at: 0) }
                    return [2, UInt8(bytes.count)] + bytes
                }
                let numbers = number(signature[..<32]) + number(signature[32...])
                form = [0x30, UInt8(numbers.count)] + numbers
            }
            let context = try unsafe #require(EVP_MD_CTX_new())
            defer { unsafe EVP_MD_CTX_free(context) }
            try unsafe #require(EVP_DigestVerifyInit(context, nil, EVP_sha256(), nil, key) == 1)
            return unsafe EVP_DigestVerify(context, form, form.count, message, message.count) == 1
        }
    }

    @Test(arguments: [("RSA", SigningKey.Algorithm.rs256), ("EC", .es256)])
    func `what a key signs verifies, and nothing else does`(_ kind: String, _ algorithm: SigningKey.Algorithm) throws {
        let made = try Made(kind)
        for form in [made.pem(), made.pem(isTraditional: true)] {
            let key = try SigningKey(pem: form.span.raw)
            #expect(key.algorithm == algorithm)
            // Often enough that an ES256 number is short or has its highest bit set.
            for round in 0..<(kind == "EC" ? 300 : 3) {
                let message = Array("header.claims \(round)".utf8)
                let signature = try key.sign(message.span.raw)
                #expect(signature.count == (kind == "EC" ? 64 : 256))
                #expect(try made.verifies(signature, of: message, algorithm))
                #expect(try !made.verifies(signature, of: message + [0], algorithm))
            }
        }
    }

    private func words(_ pem: [UInt8]) -> String {
        do {
            _ = try SigningKey(pem: pem.span.raw)
            return "taken"
        } catch {
            return error.words
        }
    }

    @Test func `a key that no provider takes is refused with what would do`() throws {
        for made in [try Made("RSA", bits: 1024), try Made("EC", group: "P-384"), try Made("ED25519"), try Made("RSA-PSS")] {
            #expect(words(made.pem()).hasPrefix("is neither an RSA key of 2048 bits or more nor a P-256 key"))
        }
    }

    @Test func `what holds no key that can be read says so and asks nobody for a passphrase`() throws {
        let good = try Made("EC")
        let pem = good.pem()
        let text = String(decoding: pem, as: UTF8.self)
        for wrong in [
            [], Array("hunter2".utf8), good.pem(passphrase: "hunter2"), good.publicPEM(), Array(pem.prefix(pem.count / 2)),
            Array(text.replacing("PRIVATE KEY", with: "CERTIFICATE").utf8), Array(text.replacing("\n", with: "").utf8),
        ] {
            #expect(words(wrong) == "holds no private key in PEM that can be read without a passphrase")
        }
        #expect(words(pem + [UInt8](repeating: 0x0a, count: 64 << 10)) == "is larger than 64 KiB; no key is")
        #expect(words(Array("my key\n".utf8) + pem) == "taken")
    }
}
