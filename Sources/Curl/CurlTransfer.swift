// One request and its answer on libcurl's side: everything is set, then a multi handle carries it out.

internal import CCurl
package import Kernel

/// Made, set and carried out on one thread; used once. What it holds of an answer is wiped with it.
@safe package final class CurlTransfer {
    let easy: UnsafeMutableRawPointer
    private var list: UnsafeMutablePointer<curl_slist>?
    private var resolutions: UnsafeMutablePointer<curl_slist>?
    private var places: UnsafeMutablePointer<curl_slist>?
    var recipients: UnsafeMutablePointer<curl_slist>?
    /// Who keeps the bytes in place that libcurl reads where they lie.
    private var keepers: [AnyObject] = []
    /// A message on its way, and how much of it libcurl has taken.
    var message = LockedBuffer(capacity: 0)
    var taken = 0
    var isMail = false
    /// What it waits for; -1 where it waits for none.
    var socket: Int32 = -1
    private var answer = LockedBuffer(capacity: 64)
    private let answerLimit: Int
    private var isTooLarge = false
    /// libcurl writes its words into it: CURL_ERROR_SIZE bytes.
    private let words: UnsafeMutablePointer<CChar>

    /// - Parameters:
    ///   - url: absolute, percent-encoded.
    ///   - answerLimit: bytes of body that may come.
    /// - Throws: `CurlFault` of kind `invalid` where libcurl does not take the URL, `other` where there is no libcurl.
    package convenience init(_ method: String, _ url: String, answerLimit: Int) throws(CurlFault) {
        // Both schemes may stand at the beginning; a redirect may not leave encryption.
        let isEncrypted = url.utf8.starts(with: "https://".utf8)
        guard isEncrypted || url.utf8.starts(with: "http://".utf8) else { throw CurlFault(.invalid, "neither http nor https") }
        try self.init(url, schemes: isEncrypted ? "https" : "http", answerLimit: answerLimit)
        try set(CURLOPT_CUSTOMREQUEST, method)
        try set(CURLOPT_REDIR_PROTOCOLS_STR, isEncrypted ? "https" : "http,https")
        try set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
    }

    /// What transfers of every scheme have in common.
    init(_ url: String, schemes: String, answerLimit: Int) throws(CurlFault) {
        try CurlLibrary.start()
        guard let easy = unsafe curl_easy_init() else { throw CurlFault(.other, "libcurl has no room") }
        unsafe self.easy = easy
        self.answerLimit = answerLimit
        unsafe words = .allocate(capacity: Int(CURL_ERROR_SIZE))
        unsafe words.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        guard !url.utf8.contains(0) else { throw CurlFault(.invalid, "a URL with a NUL") }
        try set(CURLOPT_URL, url)
        try set(CURLOPT_PROTOCOLS_STR, schemes)
        // libcurl resolves names on a thread; without this it would use SIGALRM for their time-outs.
        try set(CURLOPT_NOSIGNAL, 1)
        // A service that moved to another address is found there within these seconds; kept connections need no look-up.
        try set(CURLOPT_DNS_CACHE_TIMEOUT, 10)
        try set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        try unsafe CurlFault.check(claviger_curl_set_bytes(easy, CURLOPT_ERRORBUFFER, words))
        // The context is this object, which outlives its handle.
        try unsafe CurlFault.check(
            claviger_curl_set_writer(
                easy,
                { bytes, size, count, context in
                    guard let bytes = unsafe bytes, let context = unsafe context else { return 0 }
                    let transfer = unsafe Unmanaged<CurlTransfer>.fromOpaque(context).takeUnretainedValue()
                    return unsafe transfer.receive(UnsafeRawBufferPointer(start: bytes, count: size * count)) ? size * count : 0
                }, Unmanaged.passUnretained(self).toOpaque()))
    }

    deinit {
        unsafe curl_easy_cleanup(easy)
        unsafe curl_slist_free_all(list)
        unsafe curl_slist_free_all(resolutions)
        unsafe curl_slist_free_all(places)
        unsafe curl_slist_free_all(recipients)
        unsafe words.deallocate()
    }

    // MARK: What is asked

    /// - Parameters:
    ///   - whole: for the exchange, from when it is begun.
    ///   - connecting: TLS included.
    package func limit(whole: Duration, connecting: Duration) throws(CurlFault) {
        try set(CURLOPT_TIMEOUT_MS, CurlTransfer.milliseconds(whole))
        try set(CURLOPT_CONNECTTIMEOUT_MS, CurlTransfer.milliseconds(connecting))
    }

    /// What `User-Agent` says. Not a field like others: libcurl would sign it, and AWS's own tools, moto's check among them, leave it out.
    package func set(agent: String) throws(CurlFault) {
        try set(CURLOPT_USERAGENT, agent)
    }

    /// In place of the URL it was made with: of the same scheme.
    package func set(url: RawSpan) throws(CurlFault) {
        var text = LockedBuffer(copying: url)
        text.append(byte: 0)
        for at in 0..<url.byteCount where !(0x21..<0x7F).contains(text.bytes[at]) { throw CurlFault(.invalid, "a URL with characters that end it") }
        try unsafe CurlFault.check(claviger_curl_set_text(easy, CURLOPT_URL, text.start.assumingMemoryBound(to: CChar.self)))
    }

    /// - Throws: `invalid` where the bytes would change the request's shape.
    package func add(field name: String, _ value: RawSpan) throws(CurlFault) {
        var line = LockedBuffer(capacity: name.utf8.count + value.byteCount + 3)
        line.append(Array("\(name): ".utf8).span.raw)
        line.append(value)
        for at in 0..<line.count where line.bytes[at] < 0x20 { throw CurlFault(.invalid, "control characters in the field \(name)") }
        line.append(byte: 0)
        guard let longer = unsafe curl_slist_append(list, line.start.assumingMemoryBound(to: CChar.self)) else {
            throw CurlFault(.other, "libcurl has no room")
        }
        unsafe list = longer
    }

    /// - Parameters:
    ///   - body: sent from where it lies.
    ///   - keeper: keeps it there; held until the end.
    package func set(body: RawSpan, keptBy keeper: AnyObject) throws(CurlFault) {
        keepers.append(keeper)
        try set(CURLOPT_POSTFIELDSIZE, body.byteCount)
        try unsafe body.withUnsafeBytes { (bytes) throws(CurlFault) in
            guard let start = bytes.baseAddress, bytes.count > 0 else { return try set(CURLOPT_COPYPOSTFIELDS, "") }
            try unsafe CurlFault.check(claviger_curl_set_bytes(easy, CURLOPT_POSTFIELDS, start))
        }
    }

    /// A body of no bytes, which is not the same as none.
    package func setEmptyBody() throws(CurlFault) {
        try set(CURLOPT_POSTFIELDSIZE, 0)
        try set(CURLOPT_COPYPOSTFIELDS, "")
    }

    package func follow(redirects: Int) throws(CurlFault) {
        try set(CURLOPT_FOLLOWLOCATION, redirects > 0 ? 1 : 0)
        try set(CURLOPT_MAXREDIRS, redirects)
    }

    /// - Parameter secretKey: printable bytes.
    package func sign(region: String, service: String, accessKey: String, secretKey: RawSpan) throws(CurlFault) {
        try set(CURLOPT_AWS_SIGV4, "aws:amz:\(region):\(service)")
        try set(CURLOPT_USERNAME, accessKey)
        var text = LockedBuffer(copying: secretKey)
        text.append(byte: 0)
        try unsafe CurlFault.check(claviger_curl_set_text(easy, CURLOPT_PASSWORD, text.start.assumingMemoryBound(to: CChar.self)))
    }

    /// - Parameter path: of a file of certificates, in place of the system's.
    package func trust(authorities path: String) throws(CurlFault) {
        try set(CURLOPT_CAINFO, path)
    }

    /// Has a server that asks for a certificate shown this one: paths of PEM files, read by OpenSSL when the connection is made.
    package func show(certificate: String, privateKey: String) throws(CurlFault) {
        try set(CURLOPT_SSLCERT, certificate)
        try set(CURLOPT_SSLKEY, privateKey)
    }

    /// For this transfer and a few seconds more, `host` is at these addresses and nowhere else.
    package func resolve(_ host: String, _ port: UInt16, to addresses: [SocketAddress]) throws(CurlFault) {
        let written = addresses.map { if case .v6 = $0 { "[\($0.host)]" } else { $0.host } }
        unsafe resolutions = curl_slist_append(resolutions, "+\(host):\(port):\(written.joined(separator: ","))")
        try unsafe CurlFault.check(claviger_curl_set_list(easy, CURLOPT_RESOLVE, resolutions))
    }

    /// What is for `name` by URL and certificate is connected to at `host`. IPv6 addresses come without brackets.
    package func connect(_ name: String, _ namedPort: UInt16, to host: String, _ port: UInt16) throws(CurlFault) {
        func written(_ host: String) -> String { host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host }
        unsafe places = curl_slist_append(places, "\(written(name)):\(namedPort):\(written(host)):\(port)")
        try unsafe CurlFault.check(claviger_curl_set_list(easy, CURLOPT_CONNECT_TO, places))
    }

    package func avoidProxies() throws(CurlFault) {
        try set(CURLOPT_NOPROXY, "*")
    }

    /// A connection of its own. On one that is used again and turns out to be closed, libcurl sends the request a second time, whatever it does.
    package func demandFreshConnection() throws(CurlFault) {
        try set(CURLOPT_FRESH_CONNECT, 1)
    }

    // MARK: What was answered

    package var status: Int {
        var status = 0
        unsafe _ = claviger_curl_status(easy, &status)
        return status
    }

    /// Names in lower case, in their order; those of the last answer.
    package var fields: [(name: String, value: String)] {
        var fields: [(name: String, value: String)] = []
        var field = unsafe curl_easy_nextheader(easy, UInt32(CURLH_HEADER), -1, nil)
        while let current = unsafe field {
            let name = unsafe String(cString: current.pointee.name)
            unsafe fields.append((CurlTransfer.lowerCase(name), String(cString: current.pointee.value)))
            unsafe field = curl_easy_nextheader(easy, UInt32(CURLH_HEADER), -1, current)
        }
        return fields
    }

    /// The body, once.
    package func takeAnswer() -> LockedBuffer {
        var taken = LockedBuffer(capacity: 0)
        swap(&taken, &answer)
        return taken
    }

    /// Whether any byte of the request was sent.
    package var isSent: Bool {
        if taken > 0 { return true }
        var bytes = 0
        return unsafe claviger_curl_sent(easy, &bytes) != CURLE_OK || bytes > 0
    }

    // MARK: For the multi handle

    var handle: UnsafeMutableRawPointer { unsafe easy }
    var address: UInt { UInt(bitPattern: unsafe easy) }

    func prepare() throws(CurlFault) {
        try unsafe CurlFault.check(claviger_curl_set_list(easy, CURLOPT_HTTPHEADER, list))
    }

    func fault(_ code: CURLcode) -> CurlFault {
        if isTooLarge { return CurlFault(.tooLarge, "the answer is larger than \(answerLimit) bytes") }
        // What libcurl also says of an answer without a status line.
        if code == CURLE_UNSUPPORTED_PROTOCOL, isSent { return CurlFault(.broken, "the answer is no HTTP") }
        return unsafe CurlFault(code, detail: String(cString: words))
    }

    private func receive(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard answer.count + bytes.count <= answerLimit else {
            isTooLarge = true
            return false
        }
        unsafe answer.append(bytes.bytes)
        return true
    }

    func set(_ option: CURLoption, _ text: String) throws(CurlFault) {
        try unsafe CurlFault.check(claviger_curl_set_text(easy, option, text))
    }

    func set(_ option: CURLoption, _ number: Int) throws(CurlFault) {
        try unsafe CurlFault.check(claviger_curl_set_number(easy, option, number))
    }

    /// One at least: libcurl takes 0 for no limit.
    private static func milliseconds(_ duration: Duration) -> Int {
        let (seconds, attoseconds) = duration.components
        return max(Int(clamping: seconds.multipliedReportingOverflow(by: 1000).partialValue + attoseconds / 1_000_000_000_000_000), 1)
    }

    private static func lowerCase(_ name: String) -> String {
        String(decoding: name.utf8.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
    }
}
