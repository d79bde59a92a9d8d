// The declarations: each key once, with its sentence, and every key of the contract among them.

import ConfigurationFiles
import Foundation
import Testing

struct SettingTests {
    @Test(arguments: Setting.all.map(\.path))
    func `a key is declared once, below a declared one, with a sentence`(path: String) throws {
        let rows = Setting.all.filter { $0.path == path }
        #expect(rows.count == 1)
        let setting = try #require(rows.first)
        #expect(setting.sentence.hasSuffix(".") && setting.sentence.first?.isUppercase == true || setting.sentence.hasPrefix("`"))
        #expect(!setting.form.words.isEmpty)
        let parent = path.split(separator: ".").dropLast().joined(separator: ".")
        #expect(parent.isEmpty || Setting.all.contains { $0.path == parent || "\($0.path)[]" == parent })
    }

    @Test func `the reference page has a line for every key`() {
        let lines = Setting.reference.split(separator: "\n")
        #expect(lines.filter { $0.hasPrefix("| `") }.count == Setting.all.count)
        for setting in Setting.all { #expect(lines.contains { $0.hasPrefix("| `\(setting.path)` |") }) }
    }

    @Test(arguments: contract)
    func `a key of the contract is known`(line: String) {
        let parts = line.split(separator: " ").map(String.init)
        for key in parts.dropFirst() {
            let path = parts[0] == "-" ? key : "\(parts[0]).\(key)"
            #expect(Setting.all.contains { $0.path == path }, "\(path)")
        }
    }

    @Test func `nothing else is`() {
        let keys = contract.flatMap { line -> [String] in
            let parts = line.split(separator: " ").map(String.init)
            return parts.dropFirst().map { parts[0] == "-" ? $0 : "\(parts[0]).\($0)" }
        }
        #expect(Set(Setting.all.map(\.path)).subtracting(keys).isEmpty)
    }
}

/// The contract's keys: the place, then what stands there.
private let contract = [
    "- gateway secrets cache portal admin log audit trace servers projects",
    "gateway listen public_url hosts allowed_origins trusted_proxies outbound workers limits timeouts",
    "gateway.listen[] address tls", "gateway.listen[].tls certificates client_ca client_certificates", "gateway.listen[].tls.certificates[] certificate private_key",
    "gateway.outbound allow", "gateway.limits connections line head headers body streams_per_user per_key per_address",
    "gateway.timeouts head idle body connect response stream_idle drain",
    "secrets parameter_store sealed_files", "secrets.parameter_store region prefix kms_key tier reads writes endpoint", "secrets.sealed_files directory key",
    "cache ttl refresh_ahead stale_if_error negative_ttl capacity",
    "portal public_url sign_in admins", "portal.sign_in email_code oidc", "portal.sign_in.email_code smtp user password from",
    "portal.sign_in.oidc issuer client_id client_secret", "admin address public_url", "log level format access user", "audit keep", "trace otlp sample",
    "servers *", "servers.* url title description icon auth headers query fields transport probe tls timeouts plaintext oauth",
    "servers.*.headers *", "servers.*.query *", "servers.*.fields *", "servers.*.fields.* label help pattern",
    "servers.*.tls ca client_certificate client_key server_name", "servers.*.timeouts connect response body stream_idle",
    "servers.*.oauth grant issuer authorization_endpoint token_endpoint revocation_endpoint client_id client_secret private_key authentication assertion scopes resource require_pkce token_exchange",
    "servers.*.oauth.assertion audience key_id",
    "servers.*.oauth.token_exchange subject parameters", "servers.*.oauth.token_exchange.parameters *",
    "projects *", "projects.* title admins connect servers navigators", "projects.*.connect domains", "projects.*.servers *",
    "projects.*.servers.* server level status", "projects.*.navigators *", "projects.*.navigators.* keys users deny rate",
    "projects.*.navigators.*.keys[] id sha256 expires note", "projects.*.navigators.*.users domains emails token",
    "projects.*.navigators.*.users.token issuer audience claim jwks", "projects.*.navigators.*.deny servers tools", "projects.*.navigators.*.deny.tools *",
]
