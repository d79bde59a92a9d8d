// `gateway:` read: listeners, names, limits, timeouts.

internal import FoundationEssentials
internal import Gateway

struct GatewayReader {
    let reading: Reading

    /// `section` is nil where no file has one: everything then is as declared.
    func settings(_ section: Section?) -> GatewaySettings {
        let listeners = section.flatMap(listeners) ?? []
        let listen = listeners.isEmpty ? [.tcp(host: "127.0.0.1", port: 8080)] : listeners.map(\.address)
        let tls = Dictionary(uniqueKeysWithValues: listeners.compactMap { listener in listener.tls.map { (listener.address, $0) } })
        let publicURL = section.flatMap { self.publicURL($0, "public_url") } ?? defaultURL(listen.first, isEncrypted: listeners.first?.speaksTLS == true, section)
        var settings = GatewaySettings(listen: listen, tls: tls, publicURL: publicURL, workers: max(1, ProcessInfo.processInfo.activeProcessorCount))
        guard let section else { return settings }
        settings.hosts = section.texts("hosts")?.compactMap(host) ?? []
        settings.allowedOrigins = section.texts("allowed_origins")?.compactMap(origin) ?? []
        settings.trustedProxies = section.texts("trusted_proxies")?.compactMap { network($0, "a trusted proxy") } ?? []
        settings.outboundAllow = section.section("outbound")?.texts("allow")?.compactMap { network($0, "what `outbound.allow` names") } ?? []
        if case .value(let count) = section.count("workers") { settings.workers = count }
        if let limits = section.section("limits") { settings.limits = self.limits(limits) }
        if let timeouts = section.section("timeouts") { settings.timeouts = self.timeouts(timeouts) }
        return settings
    }

    // MARK: Listeners

    private struct Listener {
        let address: ListenAddress
        let position: Position
        /// Whether it says so; what it says may be wrong, and `tls` nil.
        let speaksTLS: Bool
        let tls: ListenerTLS?
    }

    private func listeners(_ section: Section) -> [Listener]? {
        guard let elements = section.list("listen") else { return nil }
        if elements.isEmpty {
            reading.error(section.position(of: "listen"), "`listen` must name a listener, or be left out for 127.0.0.1:8080")
        }
        var found: [Listener] = []
        for element in elements {
            guard let listener = Section(element, at: "gateway.listen[]", named: "gateway.listen[]", reading) else { continue }
            guard listener.has("address") else {
                reading.error(element.position, "a listener needs an `address`: \(listener.declared("address").form.words)")
                continue
            }
            guard let scalar = listener.line("address"), let address = address(scalar, "address", listener) else { continue }
            if let same = found.first(where: { $0.address == address }) {
                reading.error(scalar.position, "this listener stands twice, first at line \(same.position.line); keep one")
                continue
            }
            let tls = listener.section("tls").flatMap { CertificateReader(reading: reading).listener($0) }
            found.append(Listener(address: address, position: scalar.position, speaksTLS: listener.has("tls"), tls: tls))
        }
        return found
    }

    func address(_ scalar: Scalar, _ key: String, _ section: Section) -> ListenAddress? {
        let text = scalar.text
        if text.hasPrefix("unix:") {
            let path = String(text.dropFirst(5))
            guard path.utf8.first == UInt8(ascii: "/"), path.utf8.count <= 107 else {
                return section.wrong(key, scalar, "must name a socket by an absolute path of 107 bytes at most, as in `unix:/run/claviger/gateway.sock`")
            }
            return .unix(path: path)
        }
        if text.hasPrefix("systemd:") {
            let name = String(text.dropFirst(8))
            let isName = !name.isEmpty && name.utf8.count <= 255 && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ":") }
            guard isName else {
                return section.wrong(key, scalar, "must name a socket as its unit's `FileDescriptorName=` does, as in `systemd:claviger`")
            }
            return .activated(name: name)
        }
        guard let colon = text.lastIndex(of: ":"), let port = Quantity.number(text[text.index(after: colon)...]), (1...65_535).contains(port) else {
            return section.wrong(key, scalar)
        }
        do {
            return .tcp(host: try Host(String(text[..<colon])).text, port: UInt16(port))
        } catch {
            return section.wrong(key, scalar, "must be \(section.declared(key).form.words) (\(error.words))")
        }
    }

    // MARK: Names

    /// Scheme and authority only, without a final slash.
    func publicURL(_ section: Section, _ key: String) -> String? {
        guard let scalar = section.line(key) else { return nil }
        do {
            let url = try WebURL(scalar.text)
            guard url.path.isEmpty || url.path == "/", url.query == nil else {
                return section.wrong(key, scalar, "must end with the host or port: paths are the gateway's own")
            }
            return url.origin.description
        } catch {
            return section.wrong(key, scalar, error.words)
        }
    }

    /// What the first listener is reached by, where nothing else is said.
    private func defaultURL(_ first: ListenAddress?, isEncrypted: Bool, _ section: Section?) -> String {
        guard case .tcp(let name, let port) = first else {
            if let section { reading.warning(section.position(of: "listen"), "the first listener is no URL; set `gateway.public_url`, or links to connect lead nowhere") }
            return "http://localhost"
        }
        let origin = Origin(scheme: isEncrypted ? .https : .http, host: name, port: port)
        if let section, let host = try? Host(name.utf8.contains(UInt8(ascii: ":")) ? "[\(name)]" : name), host.isWildcard, !section.has("public_url") {
            reading.warning(section.position(of: "listen"), "nobody can connect to \(name); set `gateway.public_url`, or links to connect lead nowhere")
        }
        return origin.description
    }

    private func host(_ scalar: Scalar) -> String? {
        do {
            let host = try Host(scalar.text)
            return host.inURL
        } catch {
            let hint = scalar.text.contains(":") ? "; write it without scheme and port" : ""
            reading.error(scalar.position, "`hosts` must hold host names: \(error.words)\(hint)\(scalar.shown)")
            return nil
        }
    }

    /// As browsers write it (RFC 6454, section 6.2): lower-case, the scheme's own port left out.
    private func origin(_ scalar: Scalar) -> String? {
        if scalar.text == "*" || scalar.text == "null" {
            reading.error(scalar.position, "`allowed_origins` must name each origin; \(scalar.text.quoted) would let any page in")
            return nil
        }
        do {
            let url = try WebURL(scalar.text)
            guard url.path.isEmpty, url.query == nil else {
                reading.error(scalar.position, "an origin ends with host or port, without a slash or path: write `\(url.origin)`")
                return nil
            }
            return url.origin.description
        } catch {
            reading.error(scalar.position, "an allowed origin \(error.words)\(scalar.shown)")
            return nil
        }
    }

    private func network(_ scalar: Scalar, _ what: String) -> IPNetwork? {
        if let network = IPNetwork(scalar.text) { return network }
        reading.error(scalar.position, "\(what) must be an address or a network such as `10.0.0.0/8` or `fd00::/8`, with no bits set behind the prefix\(scalar.shown)")
        return nil
    }

    // MARK: Limits and timeouts

    private func limits(_ section: Section) -> Limits {
        var limits = Limits()
        if let count = section.count("connections")?.value { limits.connections = count }
        if let size = section.size("line") { limits.line = size }
        if let size = section.size("head") { limits.head = size }
        if let count = section.count("headers")?.value { limits.headers = count }
        if let size = section.size("body") { limits.body = size }
        if let count = section.count("streams_per_user")?.value { limits.streamsPerUser = count }
        limits.perKey = section.rate("per_key")?.value
        switch section.countOrRate("per_address")?.value {
        case .count(let count): limits.perAddress = count
        case .rate(let rate): limits.perAddressRate = rate
        case nil: break
        }
        if limits.line > limits.head {
            let key = section.has("line") ? "line" : "head"
            reading.error(section.position(of: key), "`line` (\(Quantity.text(size: limits.line))) must not be larger than `head` (\(Quantity.text(size: limits.head))): the line is part of the head")
        }
        return limits
    }

    private func timeouts(_ section: Section) -> Timeouts {
        var timeouts = Timeouts()
        if let time = section.duration("head") { timeouts.head = time }
        if let time = section.duration("idle") { timeouts.idle = time }
        if let time = section.duration("body") { timeouts.body = time }
        if let time = section.duration("connect") { timeouts.connect = time }
        if let time = section.duration("response") { timeouts.response = time }
        if let time = section.duration("stream_idle") { timeouts.streamIdle = time }
        if let time = section.duration("drain") { timeouts.drain = time }
        return timeouts
    }
}
