// Secrets of `servers.*.oauth`: by reference, tried when they are read, and never repeated.

import ConfigurationFiles
import Foundation
import Gateway
import Testing

struct OAuthSecretsTests {
    /// P-256, made for these tests.
    private static let key = """
        -----BEGIN PRIVATE KEY-----
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgLQU1oTtMXXDDFKw7
        hZa4uRWySffBrqd6M/pEOSO1hXChRANCAAQy2k3ug6NFYCQlnWvp/U6J/Irs/QjR
        b8hYpPVOyARpN/S/RnnDHtdDso58CRTmQQIgaTwKh7KAWZxG2NzYqBd4
        -----END PRIVATE KEY-----
        """

    private static let signing = """
        servers:
          keyed:
            url: https://mcp.example.com/mcp
            auth: oauth
            oauth:
              grant: client_credentials
              issuer: https://login.example.com/
              client_id: claviger
              authentication: private_key_jwt
              private_key: VALUE
              assertion: { audience: issuer, key_id: k1 }

        """

    private func load(_ value: String, _ credentials: [String: String] = [:], _ purpose: Configuration.Purpose = .serve) throws -> Configuration.LoadResult {
        let files = try TemporaryDirectory(["a.yaml": Self.signing.replacing("VALUE", with: value)])
        let secrets = try TemporaryDirectory(credentials)
        return Configuration.load(directory: files.path, environment: ["CREDENTIALS_DIRECTORY": secrets.path], purpose: purpose, wallClock: 0)
    }

    private func messages(_ result: Configuration.LoadResult) -> [String] { result.problems.map(\.message) }

    @Test func `a key by reference signs`() throws {
        let result = try load("\"${credential:key.pem}\"", ["key.pem": Self.key + "\n"])
        #expect(messages(result) == [])
        let server = try #require(result.snapshot?.servers.values.first)
        let oauth = try #require(server.oauth)
        #expect(oauth.authentication == .privateKeyJWT && oauth.assertionAudience == .issuer && oauth.keyID == "k1")
        #expect(try #require(oauth.privateKey).count == Self.key.utf8.count)
        #expect(server.fields.isEmpty)
    }

    @Test func `a key in the file is a warning, and one that is no key an error that repeats nothing`() throws {
        let block = "|\n" + Self.key.split(separator: "\n").map { "        \($0)" }.joined(separator: "\n")
        let plain = try load(block)
        #expect(plain.snapshot != nil)
        #expect(messages(plain) == ["`private_key` is a secret in plain text; put it into a file and write `${credential:NAME}` or `${file:/path}`"])
        let wrong = try load("\"${credential:key.pem}\"", ["key.pem": "hunter2"])
        #expect(wrong.snapshot == nil)
        #expect(messages(wrong) == ["`private_key` holds no private key in PEM that can be read without a passphrase"])
        let empty = try load("\"${credential:key.pem}\"", ["key.pem": "\n"])
        #expect(messages(empty) == ["`private_key` must be a private key in PEM: RSA of 2048 bits or more, or P-256, not nothing"])
    }

    @Test func `a secret that only the daemon can know is a warning at check, and an error at start`() throws {
        let files = try TemporaryDirectory(["a.yaml": Self.signing.replacing("VALUE", with: "\"${credential:key.pem}\"")])
        let checked = Configuration.load(directory: files.path, environment: [:], purpose: .check, wallClock: 0)
        #expect(checked.snapshot != nil && checked.problems.map(\.severity) == [.warning])
        #expect(Configuration.load(directory: files.path, environment: [:], purpose: .serve, wallClock: 0).snapshot == nil)
    }

    @Test func `a file that everyone may read is no place for a secret`() throws {
        let secrets = try TemporaryDirectory(["key.pem": Self.key])
        let path = "\(secrets.path)/key.pem"
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
        #expect(try messages(load("\"${file:\(path)}\"")).map { $0.hasPrefix("`private_key`: everyone may read ") } == [true])
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
        #expect(try messages(load("\"${file:\(path)}\"")) == [])
    }
}
