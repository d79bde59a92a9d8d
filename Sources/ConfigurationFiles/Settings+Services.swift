// The keys of `secrets:`, `cache:`, `portal:`, `admin:`, `log:`, `audit:` and `trace:`, declared.

internal import Gateway

extension Setting {
    static let services: [Setting] = [
        Setting("secrets", .section, "The secret store: one. Without it, sealed files under the state directory.").fromStartOn(),
        Setting("secrets.parameter_store", .section, "AWS Systems Manager Parameter Store: a SecureString for each credential."),
        Setting(
            "secrets.parameter_store.region", .text("an AWS region such as `eu-west-1`"),
            "Where the parameters are. Without it: AWS_REGION, AWS_DEFAULT_REGION or the region of the AWS profile."),
        Setting(
            "secrets.parameter_store.prefix", .text("a path such as `/claviger`: letters, digits, `-`, `_` and `.`, eleven steps and 512 characters at most, not beginning with `/aws` or `/ssm`"),
            default: "/claviger", "What every parameter's name begins with; what lies below it is the gateway's."),
        Setting(
            "secrets.parameter_store.kms_key", .text("a KMS key: `alias/NAME`, an id or an ARN"),
            "What values are encrypted with. Without it: the account's own key for Parameter Store, `alias/aws/ssm`."),
        Setting(
            "secrets.parameter_store.tier", .choice(ParameterTier.allCases.map(\.rawValue)), default: "standard",
            "`standard` holds 4 KB and 10,000 parameters an account, and is free; `advanced` 8 KB and 100,000, each paid by the month; `intelligent` is advanced only where it must be."),
        Setting("secrets.parameter_store.reads", .rate(), default: "30/s", "Calls that read, at most: ten credentials travel in one. The account's limit is 40 a second unless it was raised."),
        Setting("secrets.parameter_store.writes", .rate(), default: "3/s", "Calls that write or delete, at most. The account's limit is 3 a second unless it was raised."),
        Setting("secrets.parameter_store.endpoint", .text("an origin such as `https://ssm-fips.us-east-1.amazonaws.com`; `http://` on loopback only"), "Another endpoint than the region's own."),
        Setting("secrets.sealed_files", .section, "One file per credential, sealed with AES-256-GCM."),
        Setting("secrets.sealed_files.directory", .text("an absolute path"), "Where the files are. Without it: `secrets` under the state directory."),
        Setting(
            "secrets.sealed_files.key", .secret("a key of 32 bytes, as 64 hexadecimal digits or base64"),
            "What they are sealed with. Without it: `master.key` under the state directory, made when it is missing."),
        Setting("cache", .section, "Credentials at hand."),
        Setting("cache.ttl", .duration(.seconds(1)...(.seconds(86_400))), default: "5m", "How long a credential is used without asking the store again; up to a tenth shorter, so that reads spread."),
        Setting(
            "cache.refresh_ahead", .duration(.zero...(.seconds(3600))),
            "How long before the end of `ttl` a credential in use is read again; up to half of it shorter, so that reads spread, and 0s for never. Half of `ttl` at most. Without it: a tenth of `ttl`, 30s at most."),
        Setting(
            "cache.stale_if_error", .duration(.zero...(.seconds(86_400))), default: "15m",
            "How long after the end of `ttl` a credential is used while the store fails or does not answer; never after a deletion was seen."),
        Setting("cache.negative_ttl", .duration(.zero...(.seconds(3600))), default: "5s", "How long it is remembered that there is no credential."),
        Setting("cache.capacity", .count(1...10_000_000), default: "100000", "Credentials held, at most. A tenth as many may be known to be missing beside them."),
        Setting("portal", .section, "The pages where people connect."),
        Setting("portal.public_url", .text(publicURL), "What people call the portal. Without it: `gateway.public_url`."),
        Setting("portal.sign_in", .section, "How people prove their address; both ways may be offered. Without it, codes are written to the log, where the portal is on loopback; elsewhere nobody can sign in."),
        Setting("portal.sign_in.email_code", .section, "By a code sent to it."),
        Setting("portal.sign_in.email_code.smtp", .text("`smtps://HOST:PORT` or `smtp://HOST:PORT`"), "The mail server: encrypted from the first byte on (port 465 unless said), or by STARTTLS (port 587), without which nothing is sent but on loopback."),
        Setting("portal.sign_in.email_code.user", .text("a name"), "Who we are to the mail server. Without it: nobody."),
        Setting("portal.sign_in.email_code.password", .secret("a password"), "The user's password."),
        Setting("portal.sign_in.email_code.from", .text("a sender such as `Claviger <connect@example.com>`"), "Whom the message is from."),
        Setting("portal.sign_in.oidc", .section, "By the company's identity provider (OpenID Connect). Redirect URI to register there: `{portal.public_url}/connect/_sign-in/callback`."),
        Setting("portal.sign_in.oidc.issuer", .text("an `https://` URL; `http://` on loopback only"), "The provider, as it names itself: to the byte."),
        Setting("portal.sign_in.oidc.client_id", .text("an id, as the provider gave it"), "The client that it knows the gateway by."),
        Setting(
            "portal.sign_in.oidc.client_secret", .secret("the client's secret"),
            "What the client proves itself with. Without it: a public client, for which the provider has to offer PKCE with S256."),
        Setting("portal.admins", .list("email addresses"), default: "[]", "Administrators of every project."),
        Setting("admin", .section, "Pages, API and metrics for those who run it."),
        Setting("admin.address", .text("`off` or \(address)"), default: "127.0.0.1:9901", "Where `/metrics`, `/healthz`, `/readyz` and the API are."),
        Setting("admin.public_url", .text(publicURL), "What administrators call it, where a proxy stands before `admin.address`. Without it: `http://` and the address."),
        Setting("log", .section, "What is written, and how."),
        Setting("log.level", .choice(LogSettings.Level.allCases.map(\.rawValue)), default: "info", "The least that is written."),
        Setting("log.format", .choice(LogSettings.Format.allCases.map(\.rawValue)), default: "auto", "`auto` is entries with fields where the journal reads, else plain lines; `journal` has fields where the journal is, else lines with a priority first.").fromStartOn(),
        Setting("log.access", .flag, default: "true", "One record per exchange."),
        Setting("log.user", .choice(LogSettings.User.allCases.map(\.rawValue)), default: "hashed", "How the user stands in a record; `hashed` is keyed."),
        Setting("audit", .section, "The record of deposits, changes, revocations and sign-ins."),
        Setting(
            "audit.keep", .duration(.seconds(86_400)...(.seconds(3650 * 86_400))), default: "400d",
            "How long a row of it is kept, a link that is over, and a user who has no credential and makes no call."),
        Setting("trace", .section, "A span for each exchange, and the server told of it by `traceparent` (W3C Trace Context). Without it, what the client sends passes."),
        Setting(
            "trace.otlp", .text("a URL such as `http://127.0.0.1:4318/v1/traces`"),
            "Where spans are sent: OTLP over HTTP, as JSON. One that is away costs spans, never an exchange."),
        Setting(
            "trace.sample", .text("a number from 0 to 1"), default: "1.0",
            "The share of the traces begun here that is kept. Whether one that a client began is kept, the client says."),
    ]
}
