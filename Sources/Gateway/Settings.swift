// The snapshot's scalar settings; contract.md gives each its default, Configuration declares them.

package struct GatewaySettings: Sendable {
    package var listen: [ListenAddress]
    /// Of the listeners that speak TLS; the others speak plain HTTP.
    package var tls: [ListenAddress: ListenerTLS]
    package var publicURL: String
    /// Lower-case, without port; empty = any.
    package var hosts: [String]
    package var allowedOrigins: [String]
    package var trustedProxies: [IPNetwork]
    /// Networks that are not public and may be asked all the same for what a server or a provider names.
    package var outboundAllow: [IPNetwork]
    package var workers: Int
    package var limits: Limits
    package var timeouts: Timeouts

    package init(
        listen: [ListenAddress], tls: [ListenAddress: ListenerTLS] = [:], publicURL: String, hosts: [String] = [], allowedOrigins: [String] = [],
        trustedProxies: [IPNetwork] = [], outboundAllow: [IPNetwork] = [], workers: Int, limits: Limits = Limits(), timeouts: Timeouts = Timeouts()
    ) {
        self.listen = listen
        self.tls = tls
        self.publicURL = publicURL
        self.hosts = hosts
        self.allowedOrigins = allowedOrigins
        self.trustedProxies = trustedProxies
        self.outboundAllow = outboundAllow
        self.workers = workers
        self.limits = limits
        self.timeouts = timeouts
    }
}

package enum ListenAddress: Hashable, Sendable {
    /// A numeric address or a name that resolves when listening begins; IPv6 without brackets.
    case tcp(host: String, port: UInt16)
    case unix(path: String)
    /// The sockets that systemd hands over under this name (`FileDescriptorName=` of a `.socket` unit).
    case activated(name: String)
}

/// Sizes in bytes, the rest in counts.
package struct Limits: Sendable {
    package var connections = 10_000
    package var line = 8 << 10
    package var head = 32 << 10
    package var headers = 100
    package var body = 16 << 20
    package var streamsPerUser = 256
    package var perKey: Rate?
    /// Connections.
    package var perAddress: Int?
    /// Requests.
    package var perAddressRate: Rate?

    package init() {}
}

package struct Timeouts: Sendable {
    /// For a request head, in all.
    package var head: Duration = .seconds(10)
    /// Between requests.
    package var idle: Duration = .seconds(75)
    /// Of a body without progress.
    package var body: Duration = .seconds(60)
    /// To an upstream, TLS included.
    package var connect: Duration = .seconds(5)
    /// Until the response head.
    package var response: Duration = .seconds(120)
    /// Of an event stream without a byte either way.
    package var streamIdle: Duration = .seconds(3600)
    package var drain: Duration = .seconds(30)

    package init() {}
}

/// So many in so long.
package struct Rate: Hashable, Sendable {
    package let count: Int
    package let per: Duration

    package init(count: Int, per: Duration) {
        self.count = count
        self.per = per
    }
}

package struct CacheSettings: Sendable {
    package var ttl: Duration = .seconds(300)
    /// Before the end of `ttl`; half of it at most.
    package var refreshAhead: Duration = .seconds(30)
    /// After the end of `ttl`.
    package var staleIfError: Duration = .seconds(900)
    package var negativeTTL: Duration = .seconds(5)
    package var capacity = 100_000

    package init() {}
}

/// Where the secret store is. Paths that are nil stand under the state directory.
package enum SecretsSettings: Sendable {
    /// `key`: 32 bytes from a resolved reference, as a `Secret`; nil = the key file `STATE/master.key`.
    case sealedFiles(directory: String?, key: Secret?)
    case parameterStore(ParameterStoreSettings)

    /// What every reference begins with.
    package var prefix: String {
        switch self {
        case .sealedFiles: ""
        case .parameterStore(let settings): settings.prefix
        }
    }
}

/// AWS Systems Manager Parameter Store.
package struct ParameterStoreSettings: Hashable, Sendable {
    /// Nil = AWS_REGION, AWS_DEFAULT_REGION or the profile's.
    package var region: String?
    /// As a reference's path is.
    package var prefix = "/claviger"
    /// An id, an ARN or `alias/NAME`; nil = the account's own `alias/aws/ssm`.
    package var kmsKey: String?
    package var tier = ParameterTier.standard
    package var reads = Rate(count: 30, per: .seconds(1))
    package var writes = Rate(count: 3, per: .seconds(1))
    /// An origin; nil = the region's.
    package var endpoint: String?

    package init() {}

    /// Whether this can be a region's name: it becomes part of a host's.
    package static func isRegion(_ text: String) -> Bool {
        let parts = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        return parts.count >= 3 && text.utf8.count <= 32
            && parts.allSatisfy { !$0.isEmpty && $0.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x7a).contains($0) } }
    }
}

/// What a parameter costs and holds.
package enum ParameterTier: String, Sendable, CaseIterable {
    case standard, advanced, intelligent

    /// Bytes of a value.
    package var limit: Int { self == .standard ? 4096 : 8192 }
}

package struct AdminSettings: Sendable {
    package var address: ListenAddress?
    /// What administrators call it: scheme and authority. Nil = the address.
    package var publicURL: String?

    package init(address: ListenAddress? = .tcp(host: "127.0.0.1", port: 9901)) {
        self.address = address
    }
}

/// The pages where people connect.
package struct PortalSettings: Sendable {
    /// Administrators of every project.
    package var admins: [UserEmail] = []
    /// How a code reaches who proves an address; nil where no mail server is named.
    package var emailCode: EmailCodeSettings?
    /// Where people may sign in instead; nil where no provider is named.
    package var oidc: OIDCSettings?

    /// Whether anybody can prove an address, but for those who read this machine's log.
    package var letsPeopleIn: Bool { emailCode != nil || oidc != nil }

    package init() {}
}

/// The mail server that codes are sent by.
package struct EmailCodeSettings: Sendable {
    package enum Encryption: Sendable, Hashable {
        /// `smtps://`
        case implicit
        /// `smtp://`: by STARTTLS, or not at all.
        case demanded
        /// `smtp://` to loopback.
        case absent
    }

    /// A name, an IPv4 address, or an IPv6 address in brackets.
    package let host: String
    package let port: UInt16
    package let encryption: Encryption
    package let user: String?
    package let password: Secret?
    /// Shown as the sender beside the address; nil shows the address alone.
    package let senderName: String?
    package let sender: UserEmail

    package init(
        host: String, port: UInt16, encryption: Encryption, user: String?, password: Secret?, senderName: String?, sender: UserEmail
    ) {
        self.host = host
        self.port = port
        self.encryption = encryption
        self.user = user
        self.password = password
        self.senderName = senderName
        self.sender = sender
    }
}

package struct AuditSettings: Sendable {
    /// How long a row is kept.
    package var keep: Duration = .seconds(400 * 86_400)

    package init() {}
}

/// Where spans are sent, and how many.
package struct TraceSettings: Hashable, Sendable {
    /// OTLP over HTTP, as JSON: the whole URL.
    package let otlp: String
    /// The share of the traces begun here that is kept, from 0 to 1.
    package let sample: Double
    /// Kept is what lies below; nil = everything.
    private let bound: UInt64?

    /// - Parameter sample: from 0 to 1.
    package init(otlp: String, sample: Double = 1) {
        self.otlp = otlp
        self.sample = sample
        bound = sample >= 1 ? nil : UInt64(max(sample, 0) * 0x1p64)
    }

    /// Whether a trace whose id ends so is kept; the same everywhere for one trace.
    func keeps(_ low: UInt64) -> Bool { bound.map { low < $0 } ?? true }
}

package struct LogSettings: Sendable {
    package enum Level: String, Sendable, CaseIterable { case debug, info, warning, error }
    package enum Format: String, Sendable, CaseIterable { case auto, plain, json, journal }
    package enum User: String, Sendable, CaseIterable { case full, hashed, off }

    package var level: Level = .info
    package var format: Format = .auto
    package var access = true
    package var user: User = .hashed

    package init() {}
}
