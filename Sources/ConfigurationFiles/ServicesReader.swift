// `secrets:`, `cache:`, `portal:`, `admin:`, `log:` and `audit:` read.

internal import FoundationEssentials
internal import Gateway
internal import Kernel

struct ServicesReader {
    let reading: Reading

    func secrets(_ section: Section?) -> SecretsSettings {
        if let section, section.has("parameter_store") {
            if section.has("sealed_files") {
                reading.error(section.position(of: "sealed_files"), "`secrets` has one store: take out `sealed_files` or `parameter_store`")
            }
            guard let store = section.section("parameter_store") else { return .sealedFiles(directory: nil, key: nil) }
            return .parameterStore(ParameterStoreReader(reading: reading).settings(store))
        }
        guard let files = section?.section("sealed_files") else { return .sealedFiles(directory: nil, key: nil) }
        return .sealedFiles(directory: files.path("directory")?.text, key: key(files))
    }

    /// 32 bytes, out of 64 hexadecimal digits or base64. What is read is wiped, and no message repeats it.
    private func key(_ section: Section) -> Secret? {
        guard let secret = section.secret("key"), let position = section.tree("key")?.position else { return nil }
        var written = secret.bytes.copied()
        defer { for at in written.indices { written[at] = 0 } }
        var bytes = ServicesReader.keyBytes(written)
        defer { for at in bytes.indices { bytes[at] = 0 } }
        guard bytes.count == 32 else {
            reading.error(position, "`key` must be \(section.declared("key").form.words); this one is not. `head -c 32 /dev/urandom | base64` makes one")
            return nil
        }
        return Secret(copying: bytes.span.raw)
    }

    private static func keyBytes(_ written: [UInt8]) -> [UInt8] {
        if written.count == 64 {
            var bytes: [UInt8] = []
            for at in stride(from: 0, to: 64, by: 2) {
                guard let high = WebURL.hexadecimal(written[at]), let low = WebURL.hexadecimal(written[at + 1]) else { return [] }
                bytes.append(high << 4 | low)
            }
            return bytes
        }
        return Data(base64Encoded: Data(written)).map { Array($0) } ?? []
    }

    func cache(_ section: Section?) -> CacheSettings {
        var cache = CacheSettings()
        let ttl = section?.duration("ttl")
        if let ttl { cache.ttl = ttl }
        cache.refreshAhead = min(cache.refreshAhead, cache.ttl / 10)
        if let section, let time = section.duration("refresh_ahead") {
            cache.refreshAhead = time
            // Where `ttl` itself is wrong, that is said already.
            if time > cache.ttl / 2, ttl != nil || section.tree("ttl") == nil {
                reading.error(
                    section.position(of: "refresh_ahead"),
                    "`refresh_ahead` must be half of `ttl` (\(Quantity.text(cache.ttl))) at most; without it, it is a tenth")
            }
        }
        if let time = section?.duration("stale_if_error") { cache.staleIfError = time }
        if let time = section?.duration("negative_ttl") { cache.negativeTTL = time }
        if let count = section?.count("capacity")?.value { cache.capacity = count }
        return cache
    }

    /// Nil where it is not said: then it is the gateway's.
    func portalURL(_ section: Section?) -> String? {
        section.flatMap { GatewayReader(reading: reading).publicURL($0, "public_url") }
    }

    func portal(_ section: Section?) -> PortalSettings {
        var portal = PortalSettings()
        if let section, let admins = AddressReader(reading: reading).emails(section, "admins") { portal.admins = admins }
        let signIn = section?.section("sign_in")
        if let code = signIn?.section("email_code") { portal.emailCode = EmailCodeReader(reading: reading).settings(code) }
        if let oidc = signIn?.section("oidc") { portal.oidc = OIDCReader(reading: reading).settings(oidc) }
        return portal
    }

    func audit(_ section: Section?) -> AuditSettings {
        var audit = AuditSettings()
        if let keep = section?.duration("keep") { audit.keep = keep }
        return audit
    }

    func admin(_ section: Section?, listeners: [ListenAddress]) -> AdminSettings {
        var admin = AdminSettings()
        if let section { admin.publicURL = GatewayReader(reading: reading).publicURL(section, "public_url") }
        if let section, let scalar = section.line("address") {
            if scalar.text == "off" {
                admin.address = nil
            } else if let address = GatewayReader(reading: reading).address(scalar, "address", section) {
                if case .activated = address {
                    reading.error(scalar.position, "an activated socket is for `gateway.listen` alone; write host and port, or `unix:/path`")
                }
                admin.address = address
                warnIfReachable(address, scalar.position)
            }
        }
        if let address = admin.address, listeners.contains(address) {
            let position = section?.position(of: "address") ?? Position(file: "", line: 1, column: 1)
            reading.error(position, "`admin.address` is a listener of the gateway's, too; give one of them another port")
        }
        return admin
    }

    private func warnIfReachable(_ address: ListenAddress, _ position: Position) {
        guard case .tcp(let name, _) = address, let host = try? Host(name.utf8.contains(UInt8(ascii: ":")) ? "[\(name)]" : name), !host.isLoopback
        else { return }
        reading.warning(position, "`admin.address` can be reached from other machines, without encryption; listen on 127.0.0.1 and put a TLS proxy in front")
    }

    func log(_ section: Section?) -> LogSettings {
        var log = LogSettings()
        guard let section else { return log }
        if let level = section.choice("level", LogSettings.Level.self) { log.level = level }
        if let format = section.choice("format", LogSettings.Format.self) { log.format = format }
        if let access = section.flag("access") { log.access = access }
        if let user = section.choice("user", LogSettings.User.self) { log.user = user }
        return log
    }
}
