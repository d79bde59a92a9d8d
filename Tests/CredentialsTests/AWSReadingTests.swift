// What AWS's files, answers, times and command lines are read as.

@testable import Credentials
import Gateway
import Kernel
import Testing

@Suite struct AWSProfileFileTests {
    private func file(_ text: String, _ form: AWSProfileFile.Form = .configuration) throws(AWSProfileFile.Malformed) -> AWSProfileFile {
        try AWSProfileFile(Secret(text).bytes, form)
    }

    private func values(_ section: AWSProfileFile.Section?) -> [String: String] {
        var values: [String: String] = [:]
        for (setting, value) in section ?? [:] { values[setting.rawValue] = value.text }
        return values
    }

    @Test func `sections, comments, blank lines, both line ends and a byte order mark`() throws {
        let file = try file(
            "\u{FEFF}# shared\r\n[default]\r\nregion = eu-central-1  \r\n\r\n; a comment\n[profile ops] # of ours\nROLE_ARN=arn:aws:iam::1:role/a=b\nunknown = x\nregion =\n")
        #expect(values(file.profiles["default"]) == ["region": "eu-central-1"])
        #expect(values(file.profiles["ops"]) == ["role_arn": "arn:aws:iam::1:role/a=b", "region": ""])
        #expect(file.profiles.count == 2)
    }

    @Test func `a profile's name may be quoted, and other sections are passed over`() throws {
        let file = try file("[profile \"my own\"]\nregion=a\n[sso-session x]\nregion=b\n[ops]\nregion=c\n[plugins]\ncli_legacy_plugin_path = /x\n")
        #expect(Array(file.profiles.keys) == ["my own"])
        #expect(values(file.profiles["my own"]) == ["region": "a"])
    }

    @Test func `in the credentials file a section is a profile`() throws {
        let file = try file("[ops]\naws_access_key_id = AKIA\naws_secret_access_key = s/+=\n[profile x]\nregion=a\n", .credentials)
        #expect(values(file.profiles["ops"]) == ["aws_access_key_id": "AKIA", "aws_secret_access_key": "s/+="])
        #expect(file.profiles["x"] == nil)
    }

    @Test func `profile default counts before default, whichever comes first, and a later setting before an earlier`() throws {
        for text in ["[profile default]\nregion=a\n[default]\nregion=b\nca_bundle=c\n", "[default]\nregion=b\nca_bundle=c\n[profile default]\nregion=a\n"] {
            #expect(values(try file(text).profiles["default"]) == ["region": "a", "ca_bundle": "c"])
        }
        #expect(values(try file("[default]\nregion=a\n[default]\nregion=b\n").profiles["default"]) == ["region": "b"])
    }

    @Test func `what is indented belongs to the setting above, and settings may all be indented alike`() throws {
        let file = try file(
            "[services mine]\nssm =\n  endpoint_url = http://one\n  other = 1\nsts =\n  endpoint_url = http://two\n[default]\n  s3 =\n    region = nested\n  region = a\n")
        #expect(file.services == ["mine": ["ssm": "http://one", "sts": "http://two"]])
        #expect(values(file.profiles["default"]) == ["region": "a"])
    }

    @Test(arguments: ["region = a\n", "[default]\nregion\n", "[default\n", "[default]\n= a\n"])
    func `a line that is none names its number`(text: String) {
        let line = text.hasPrefix("[default]") ? 2 : 1
        #expect(throws: AWSProfileFile.Malformed(line: line)) { try file(text) }
    }

    @Test func `any bytes are read or refused`() {
        var state: UInt64 = 7
        let alphabet: [UInt8] = Array("[]=#; \n\r\tprofileservicesregion\"'\\".utf8) + [0, 0xFF, 0xEF, 0xBB, 0xBF]
        for _ in 0..<2000 {
            let bytes = (0..<40).map { _ in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return alphabet[Int(state >> 33) % alphabet.count]
            }
            _ = try? AWSProfileFile(bytes.span.raw, .configuration)
            _ = try? AWSProfileFile(bytes.span.raw, .credentials)
            _ = AWSAnswer(bytes.span.raw)
        }
    }
}

@Suite struct AWSAnswerTests {
    private func read(_ text: String) -> AWSAnswer? { AWSAnswer(Secret(text).bytes) }

    @Test func `JSON's values are found by name, however deep`() throws {
        let answer = try #require(read(roleJSON()))
        #expect(answer["SecretAccessKey"]?.text == "role-secret")
        #expect(answer.text("Expiration") == "1700003600.0")
        #expect(answer["PackedPolicySize"] == nil)
        #expect(answer["Nobody"] == nil)
    }

    @Test func `escapes are resolved, and the first of a name counts`() throws {
        let answer = try #require(read(#" {"a":"\"\\\/\b\f\n\r\té😀","b":[{"c":1}],"a":"x","c":2,"e":"","t":true} "#))
        #expect(answer["a"]?.text == "\"\\/\u{8}\u{c}\n\r\té😀")
        #expect(answer.text("c") == "1")
        #expect(answer["e"] == nil)
        #expect(answer["t"] == nil)
    }

    @Test(arguments: [
        "", " ", "{", "{}x", #"{"a"}"#, #"{"a":}"#, #"{"a":"b}"#, #"{"a":"\x"}"#, #"{"a":"\ud800"}"#, #"{"a":tru}"#, #"{"a":1,}"#, #"{"a":nan}"#, #"{"a":0x1}"#, "{\"a\":\"\n\"}",
        String(repeating: "[", count: 100), "<", "<a>", "<a></a></a>", "404 not found",
    ])
    func `what is neither is none`(text: String) {
        #expect(read(text) == nil)
    }

    @Test func `XML's elements that hold text alone are found by name, references resolved`() throws {
        let answer = try #require(
            read(
                """
                <?xml version="1.0"?><!-- moto --><AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>
                  <Credentials><SessionToken>a&amp;b&#43;&#x2f;</SessionToken><AccessKeyId>ASIA</AccessKeyId><Empty/></Credentials>
                  <PackedPolicySize>6</PackedPolicySize></AssumeRoleResult></AssumeRoleResponse>
                """))
        #expect(answer["SessionToken"]?.text == "a&b+/")
        #expect(answer.text("AccessKeyId") == "ASIA")
        #expect(answer.text("PackedPolicySize") == "6")
        #expect(answer["Credentials"] == nil)
    }
}

@Suite struct AWSTextTests {
    @Test(arguments: [
        ("1970-01-01T00:00:00Z", 0), ("2023-11-14T22:13:20Z", 1_700_000_000), ("2023-11-14T22:13:20.123456Z", 1_700_000_000),
        ("2023-11-14T23:13:20+01:00", 1_700_000_000), ("2023-11-14T20:43:20-0130", 1_700_000_000), ("2024-02-29T00:00:00Z", 1_709_164_800),
        ("1.7E9", 1_700_000_000), ("1700000000.9", 1_700_000_000), ("9999-12-31T23:59:59Z", 253_402_300_799), ("0001-01-01T00:00:00Z", -62_135_596_800),
    ] as [(String, Int64)])
    func `times are read`(text: String, seconds: Int64) {
        #expect(AWSTime.seconds(text) == seconds)
    }

    @Test(arguments: [
        "", "soon", "2023-11-14", "2023-11-14T22:13:20", "2023-13-14T22:13:20Z", "2023-00-14T22:13:20Z", "2023-11-14T24:00:00Z", "2023-11-14T22:13:20.Z",
        "2023-11-14T22:13:20Zx", "1e300", "-1", "nan", "inf", "253402300800", "10000-01-01T00:00:00Z",
    ])
    func `what is no time is none`(text: String) {
        #expect(AWSTime.seconds(text) == nil)
    }

    @Test(arguments: [
        ("/opt/bin/get --user ann", ["/opt/bin/get", "--user", "ann"]), ("  a\t b  ", ["a", "b"]), ("'a b' \"c d\"e", ["a b", "c de"]),
        (#"a\ b "c\"d\e" 'f\g'"#, ["a b", #"c"d\e"#, #"f\g"#]), ("a '' b", ["a", "", "b"]), ("a; rm -rf $HOME | `id` > x*", ["a;", "rm", "-rf", "$HOME", "|", "`id`", ">", "x*"]),
        ("", []),
    ])
    func `a command line's words are a shell's, and nothing is expanded`(line: String, words: [String]) {
        #expect(AWSCommandLine.split(line) == words)
    }

    @Test(arguments: ["'a", "\"a", "a\\", "\"a\\"])
    func `a command line that is not closed is none`(line: String) {
        #expect(AWSCommandLine.split(line) == nil)
    }
}
