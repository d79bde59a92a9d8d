// Finding a field's identity from its name: the name folded into words of eight bytes, one multiplication, one comparison.

internal import Kernel

/// The known names, hashed once. A name is at most four words; a longer one can only belong to a family (`X-Forwarded-…`).
struct FieldTable: Sendable {
    /// Every exact name. All are lower-case and have no underscore.
    static let names: [(String, FieldID)] = [
        ("host", .host), ("content-length", .contentLength), ("transfer-encoding", .transferEncoding),
        ("connection", .connection), ("keep-alive", .keepAlive), ("te", .te), ("trailer", .trailer), ("upgrade", .upgrade),
        ("http2-settings", .http2Settings), ("expect", .expect), ("authorization", .authorization), ("cookie", .cookie),
        ("set-cookie", .setCookie), ("x-api-key", .apiKey), ("x-user-email", .userEmail), ("x-user-token", .userToken),
        ("www-authenticate", .wwwAuthenticate), ("authentication-info", .authenticationInfo), ("origin", .origin),
        ("referer", .referer), ("vary", .vary), ("clear-site-data", .clearSiteData), ("alt-svc", .altSvc),
        ("strict-transport-security", .strictTransportSecurity),
        ("access-control-request-method", .accessControlRequestMethod),
        ("access-control-request-headers", .accessControlRequestHeaders), ("accept", .accept), ("accept-encoding", .acceptEncoding),
        ("content-type", .contentType), ("content-encoding", .contentEncoding), ("content-range", .contentRange),
        ("cache-control", .cacheControl), ("range", .range), ("date", .date), ("server", .server),
        ("location", .location), ("content-location", .contentLocation), ("link", .link), ("refresh", .refresh),
        ("retry-after", .retryAfter), ("mcp-protocol-version", .mcpProtocolVersion), ("mcp-method", .mcpMethod),
        ("mcp-name", .mcpName), ("mcp-session-id", .mcpSessionID), ("last-event-id", .lastEventID),
        ("x-request-id", .requestID), ("x-forwarded-for", .forwardedFor), ("forwarded", .forwarded), ("via", .forwarded),
        ("x-real-ip", .forwarded), ("traceparent", .traceParent), ("tracestate", .traceState),
        // Known to nobody here, and in most requests: found at the first look, their bytes need no second.
        ("user-agent", .other), ("accept-language", .other), ("x-accel-buffering", .other),
    ]

    /// What every name that begins so is, unless it is one of `names`.
    static let families: [(String, FieldID)] = [
        ("proxy-", .proxyPrefix), ("x-forwarded-", .forwarded), ("access-control-", .accessControl),
        ("x-claviger-", .clavigerDoor),
    ]

    static let known = FieldTable()

    private struct Entry: Sendable {
        var name: FoldedName
        var id: FieldID
    }

    private static let bits: UInt64 = 8
    private var slots: [Entry]
    /// The names of at most sixteen bytes once more, by their words alone.
    private var shortSlots: [ShortEntry]

    private struct ShortEntry: Sendable {
        var first: UInt64 = 0
        var second: UInt64 = 0
        var id = FieldID.other
    }

    private init() {
        slots = Array(repeating: Entry(name: FoldedName(), id: .other), count: 1 << Int(Self.bits))
        for (text, id) in Self.names {
            let name = FoldedName(text)
            var slot = name.slot(bits: Self.bits)
            while slots[slot].name.length != 0 { slot = (slot + 1) % slots.count }
            slots[slot] = Entry(name: name, id: id)
        }
        shortSlots = Array(repeating: ShortEntry(), count: 1 << Int(Self.bits))
        for (text, id) in Self.names where text.utf8.count <= 16 {
            let name = FoldedName(text)
            var slot = Self.shortSlot(name.first, name.second)
            while shortSlots[slot].first != 0 { slot = (slot + 1) % shortSlots.count }
            shortSlots[slot] = ShortEntry(first: name.first, second: name.second, id: id)
        }
    }

    /// Which field `name`, a token, is.
    @inline(always)
    func id(of name: FoldedName) -> FieldID {
        exact(name) ?? Self.family(of: name)
    }

    /// Which field `name` is if it is one of `names`; nil for any other, `other` for those that are only named to be found fast.
    ///
    /// A name without control bytes that is found is a token: the fold makes no other byte one of a known name's.
    @inline(always)
    func exact(_ name: FoldedName) -> FieldID? {
        var slot = name.slot(bits: Self.bits)
        // Ends: there are several times as many slots as names, so an empty one follows.
        while true {
            let length = slots[slot].name.length
            if length == 0 { return nil }
            if length == name.length, slots[slot].name == name { return slots[slot].id }
            slot = (slot &+ 1) & (1 << Int(Self.bits) &- 1)
        }
    }

    /// `exact` for a name of at most sixteen bytes, none of them zero, from its folded words: the zeros behind it say how long it is.
    @inline(always)
    func short(_ first: UInt64, _ second: UInt64) -> FieldID? {
        var slot = Self.shortSlot(first, second)
        // Ends as `exact` does.
        while true {
            let entry = shortSlots[slot]
            if entry.first == first, entry.second == second { return first == 0 ? nil : entry.id }
            if entry.first == 0 { return nil }
            slot = (slot &+ 1) & (1 << Int(Self.bits) &- 1)
        }
    }

    @inline(always)
    private static func shortSlot(_ first: UInt64, _ second: UInt64) -> Int {
        let mixed = (first ^ second.byteSwapped) &* 0x9E37_79B9_7F4A_7C15
        return Int(truncatingIfNeeded: mixed &>> (64 &- bits))
    }

    /// The family of a name that is none of `names`.
    @inline(always)
    static func family(of name: FoldedName) -> FieldID {
        switch UInt8(truncatingIfNeeded: name.first) {
        case UInt8(ascii: "a"), UInt8(ascii: "p"), UInt8(ascii: "x"): slowFamily(of: name)
        default: .other
        }
    }

    @inline(never)
    private static func slowFamily(of name: FoldedName) -> FieldID {
        for (prefix, id) in foldedFamilies where name.begins(with: prefix) { return id }
        return .other
    }

    private static let foldedFamilies: [(FoldedName, FieldID)] = families.map { (FoldedName($0.0), $0.1) }
}

/// The first 32 bytes of a field name, capitals made small and `_` made `-`, and its length. Two names of at most 32 bytes are the same
/// field exactly if these are equal: among a name's bytes only letters change under the fold, apart from `^` and `~`, which no known name has.
struct FoldedName: Equatable, Sendable {
    var first: UInt64 = 0
    var second: UInt64 = 0
    var third: UInt64 = 0
    var fourth: UInt64 = 0
    var length = 0
    var hasUnderscore = false

    init() {}

    init(_ text: String) {
        let bytes = Array(text.utf8)
        self.init(bytes.span.raw, from: 0, to: bytes.count)
    }

    /// Folds `bytes[start..<end]`, which are bytes of a token.
    @inline(always)
    init(_ bytes: RawSpan, from start: Int, to end: Int) {
        length = end &- start
        first = folded(bytes.paddedWord(at: start), length)
        guard length > 8 else { return }
        second = folded(bytes.paddedWord(at: start &+ 8), length &- 8)
        guard length > 16 else { return }
        third = folded(bytes.paddedWord(at: start &+ 16), length &- 16)
        guard length > 24 else { return }
        fourth = folded(bytes.paddedWord(at: start &+ 24), length &- 24)
        guard length > 32 else { return }
        for offset in (start &+ 32)..<end where bytes[offset] == UInt8(ascii: "_") { hasUnderscore = true }
    }

    /// The first `count` bytes of `word`, folded; the rest zero.
    @inline(always)
    private mutating func folded(_ word: UInt64, _ count: Int) -> UInt64 {
        let kept = count >= 8 ? UInt64.max : (1 &<< UInt64(count &* 8)) &- 1
        // `_` | 0x20 is 0x7F, which no other byte of a token becomes.
        let small = (word | Bytes.all(0x20)) & kept
        let underscores = ~((small ^ Bytes.all(0x7F)) &+ Bytes.all(0x7F)) & Bytes.high
        guard underscores != 0 else { return small }
        hasUnderscore = true
        return small ^ ((underscores &>> 7) &* 0x52)  // 0x7F to 0x2D
    }

    @inline(always)
    func slot(bits: UInt64) -> Int {
        let mixed = (first ^ second.byteSwapped ^ third &* 31 ^ UInt64(length)) &* 0x9E37_79B9_7F4A_7C15
        return Int(truncatingIfNeeded: mixed &>> (64 &- bits))
    }

    /// Whether it is `prefix`, of at most 16 bytes, with more behind it.
    func begins(with prefix: FoldedName) -> Bool {
        guard length > prefix.length else { return false }
        let inFirst = min(prefix.length, 8)
        let inSecond = prefix.length - inFirst
        return first & Bytes.lowest(inFirst) == prefix.first && second & Bytes.lowest(inSecond) == prefix.second
    }

    @inline(always)
    static func == (left: FoldedName, right: FoldedName) -> Bool {
        left.first == right.first && left.second == right.second && left.third == right.third
            && left.fourth == right.fourth && left.length == right.length
    }
}
