// One of AWS's two files of profiles (shared configuration, shared credentials), read: sections of settings, as botocore reads them.

internal import Gateway
internal import Kernel

/// Settings that nobody here asks for are not kept.
struct AWSProfileFile: Sendable {
    enum Form: Sendable {
        /// `[default]`, `[profile NAME]`, `[services NAME]`; others are passed over.
        case configuration
        /// `[NAME]`.
        case credentials
    }

    typealias Section = [AWSSetting: Secret]

    private(set) var profiles: [String: Section] = [:]
    /// The endpoints of `[services NAME]`, by that name and the service's.
    private(set) var services: [String: [String: String]] = [:]

    /// Where it is no such file.
    struct Malformed: Error, Equatable {
        let line: Int
    }

    init() {}

    /// - Parameter bytes: lines of UTF-8 that end in LF or CR LF. A line that begins with `#` or `;` is a comment, one that is indented further
    ///   than the setting above it belongs to that one. A section or setting that stands twice: the later one counts.
    init(_ bytes: RawSpan, _ form: Form) throws(Malformed) {
        var reader = Reader(form: form)
        var (at, line) = (0, 0)
        // The byte order mark.
        if bytes.byteCount >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF { at = 3 }
        while at < bytes.byteCount {
            var end = at
            while end < bytes.byteCount, bytes[end] != UInt8(ascii: "\n") { end += 1 }
            line += 1
            guard reader.take(bytes.extracting(at..<end), into: &self) else { throw Malformed(line: line) }
            at = end + 1
        }
        // Both `[default]` and `[profile default]`: the latter's settings count.
        for (name, section) in reader.named { profiles[name] = (profiles[name] ?? [:]).merging(section) { $1 } }
    }

    private struct Reader {
        let form: Form
        /// What `[profile NAME]` says.
        var named: [String: Section] = [:]
        private var place = Place.nowhere
        /// The setting that a line which is indented further belongs to, and its own indentation.
        private var last: (name: String, indentation: Int)?

        private enum Place {
            case nowhere
            case passedOver
            case plain(String)
            case named(String)
            case services(String)
        }

        init(form: Form) {
            self.form = form
        }

        /// False where the line is none of such a file.
        mutating func take(_ line: RawSpan, into file: inout AWSProfileFile) -> Bool {
            var indentation = 0
            while indentation < line.byteCount, Reader.isSpace(line[indentation]) { indentation += 1 }
            let text = Reader.trimmed(line)
            guard !text.isEmpty, text[0] != UInt8(ascii: "#"), text[0] != UInt8(ascii: ";") else { return true }
            if let last, indentation > last.indentation {
                takeInner(text, of: last.name, into: &file)
                return true
            }
            if text[0] == UInt8(ascii: "[") { return open(text, in: &file) }
            if case .nowhere = place { return false }
            guard let (name, value) = Reader.pair(text) else { return false }
            last = (name, indentation)
            guard let setting = AWSSetting(rawValue: name) else { return true }
            let secret = Secret(copying: text.extracting(value))
            switch place {
            case .plain(let profile): file.profiles[profile, default: [:]][setting] = secret
            case .named(let profile): named[profile, default: [:]][setting] = secret
            case .nowhere, .passedOver, .services: break
            }
            return true
        }

        /// A setting within a setting. Of those, only a service's endpoint means something here.
        private func takeInner(_ text: RawSpan, of service: String, into file: inout AWSProfileFile) {
            guard case .services(let name) = place, let (inner, value) = Reader.pair(text), inner == "endpoint_url" else { return }
            file.services[name, default: [:]][service] = String(decoding: text.extracting(value).copied(), as: UTF8.self)
        }

        /// `[…]`, and whatever follows it.
        private mutating func open(_ text: RawSpan, in file: inout AWSProfileFile) -> Bool {
            var end = 1
            while end < text.byteCount, text[end] != UInt8(ascii: "]") { end += 1 }
            guard end < text.byteCount else { return false }
            let words = Reader.words(String(decoding: text.extracting(1..<end).copied(), as: UTF8.self))
            last = nil
            switch (form, words.first, words.count) {
            case (.credentials, let name?, 1): place = .plain(name)
            case (.configuration, "default"?, 1): place = .plain("default")
            case (.configuration, "profile"?, 2): place = .named(words[1])
            case (.configuration, "services"?, 2): place = .services(words[1])
            default: place = .passedOver
            }
            switch place {
            case .plain(let name): file.profiles[name, default: [:]] = file.profiles[name] ?? [:]
            case .named(let name): named[name, default: [:]] = named[name] ?? [:]
            case .nowhere, .passedOver, .services: break
            }
            return true
        }

        /// The name in small letters, and where the value is; nil where there is no name or no `=`.
        private static func pair(_ text: RawSpan) -> (name: String, value: Range<Int>)? {
            var at = 0
            while at < text.byteCount, text[at] != UInt8(ascii: "=") { at += 1 }
            guard at < text.byteCount else { return nil }
            let name = trimmed(text.extracting(first: at)).copied().map(\.foldedASCII)
            guard !name.isEmpty else { return nil }
            var start = at + 1
            while start < text.byteCount, isSpace(text[start]) { start += 1 }
            return (String(decoding: name, as: UTF8.self), start..<text.byteCount)
        }

        /// At white space, except between quotes.
        private static func words(_ text: String) -> [String] {
            AWSCommandLine.split(text) ?? []
        }

        @_lifetime(copy text)
        private static func trimmed(_ text: RawSpan) -> RawSpan {
            var (start, end) = (0, text.byteCount)
            while start < end, isSpace(text[start]) { start += 1 }
            while end > start, isSpace(text[end - 1]) { end -= 1 }
            return text.extracting(start..<end)
        }

        private static func isSpace(_ byte: UInt8) -> Bool {
            byte == 0x20 || byte >= 0x09 && byte <= 0x0D
        }
    }
}

/// What a profile may say that matters here.
enum AWSSetting: String, CaseIterable, Sendable {
    case accessKey = "aws_access_key_id"
    case secretKey = "aws_secret_access_key"
    case sessionToken = "aws_session_token"
    case credentialProcess = "credential_process"
    case role = "role_arn"
    case sourceProfile = "source_profile"
    case credentialSource = "credential_source"
    case externalID = "external_id"
    case sessionName = "role_session_name"
    case duration = "duration_seconds"
    case mfa = "mfa_serial"
    case tokenFile = "web_identity_token_file"
    case ssoSession = "sso_session"
    case ssoAccount = "sso_account_id"
    case ssoRole = "sso_role_name"
    case ssoStart = "sso_start_url"
    case loginSession = "login_session"
    case region
    case authorities = "ca_bundle"
    case endpoint = "endpoint_url"
    case services
    case ignoresEndpoints = "ignore_configured_endpoint_urls"
    case stsEndpoints = "sts_regional_endpoints"
    case fips = "use_fips_endpoint"
    case dualStack = "use_dualstack_endpoint"
    case metadataEndpoint = "ec2_metadata_service_endpoint"
    case metadataMode = "ec2_metadata_service_endpoint_mode"
    case metadataTimeout = "metadata_service_timeout"
    case metadataAttempts = "metadata_service_num_attempts"
}
