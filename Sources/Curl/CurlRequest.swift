// One HTTP request over a Unix socket, waited for: how the commands speak to the daemon. Over libcurl's easy interface.

internal import CCurl

/// The body is sent from where it lies and is not kept; a secret in it is the caller's to wipe.
package struct CurlRequest: Sendable {
    package let socket: String
    package let method: String
    /// Path and query, percent-encoded, `/` first.
    package let target: String
    /// For the whole exchange.
    package let timeout: Duration

    package init(socket: String, method: String, target: String, timeout: Duration = .seconds(30)) {
        self.socket = socket
        self.method = method
        self.target = target
        self.timeout = timeout
    }

    /// Sends the request and waits for the whole answer, on the calling thread.
    ///
    /// - Parameter body: as `application/json`; nil sends none.
    /// - Returns: whatever the other side answered, refusals included.
    /// - Throws: `CurlFault` where there was no whole answer.
    package func perform(body: RawSpan?) throws(CurlFault) -> CurlAnswer {
        try CurlLibrary.start()
        guard let easy = unsafe curl_easy_init() else { throw CurlFault(.other, "libcurl could not be started") }
        defer { unsafe curl_easy_cleanup(easy) }
        var list: UnsafeMutablePointer<curl_slist>?
        // Nothing waits for a 100 on a socket of this machine.
        for field in ["Content-Type: application/json", "Accept: application/json", "Expect:"] {
            unsafe list = curl_slist_append(list, field)
        }
        defer { unsafe curl_slist_free_all(list) }
        try unsafe set(easy, list)
        guard let body else { return try unsafe exchange(easy) }
        return try unsafe body.withUnsafeBytes { (bytes) throws(CurlFault) in
            // libcurl reads the bytes in place until perform returns. An empty body is a body, too.
            try unsafe CurlFault.check(claviger_curl_set_number(easy, CURLOPT_POSTFIELDSIZE, bytes.count))
            if let start = bytes.baseAddress, bytes.count > 0 {
                try unsafe CurlFault.check(claviger_curl_set_bytes(easy, CURLOPT_POSTFIELDS, start))
                return try unsafe exchange(easy)
            }
            try unsafe CurlFault.check(claviger_curl_set_text(easy, CURLOPT_COPYPOSTFIELDS, ""))
            return try unsafe exchange(easy)
        }
    }

    /// As `perform`, with what comes under a status of 200 given to `take` piece by piece: however much it is, no more than a piece is in memory.
    ///
    /// - Parameter take: says whether it wants more.
    /// - Returns: what was answered under another status; an empty body under 200.
    /// - Throws: also where `take` wanted no more.
    package func download(_ take: @escaping (RawSpan) -> Bool) throws(CurlFault) -> CurlAnswer {
        try CurlLibrary.start()
        guard let easy = unsafe curl_easy_init() else { throw CurlFault(.other, "libcurl could not be started") }
        defer { unsafe curl_easy_cleanup(easy) }
        try unsafe set(easy, nil)
        let received = unsafe CurlReceipt(easy, take)
        // The receipt outlives the call, and libcurl calls on this thread only.
        try unsafe CurlFault.check(
            claviger_curl_set_writer(
                easy,
                { bytes, size, count, context in
                    guard let bytes = unsafe bytes, let context = unsafe context else { return 0 }
                    let receipt = unsafe Unmanaged<CurlReceipt>.fromOpaque(context).takeUnretainedValue()
                    return unsafe receipt.receive(UnsafeRawBufferPointer(start: bytes, count: size * count)) ? size * count : 0
                }, Unmanaged.passUnretained(received).toOpaque()))
        try CurlFault.check(withExtendedLifetime(received) { unsafe curl_easy_perform(easy) })
        return CurlAnswer(status: received.status, body: received.words)
    }

    private func set(_ easy: UnsafeMutableRawPointer, _ list: UnsafeMutablePointer<curl_slist>?) throws(CurlFault) {
        try unsafe CurlFault.check(claviger_curl_set_text(easy, CURLOPT_UNIX_SOCKET_PATH, socket))
        try unsafe CurlFault.check(claviger_curl_set_text(easy, CURLOPT_URL, "http://localhost\(target)"))
        try unsafe CurlFault.check(claviger_curl_set_text(easy, CURLOPT_CUSTOMREQUEST, method))
        try unsafe CurlFault.check(claviger_curl_set_text(easy, CURLOPT_PROTOCOLS_STR, "http"))
        try unsafe CurlFault.check(claviger_curl_set_text(easy, CURLOPT_NOPROXY, "*"))
        try unsafe CurlFault.check(claviger_curl_set_number(easy, CURLOPT_NOSIGNAL, 1))
        let milliseconds = Int(timeout.components.seconds * 1000 + timeout.components.attoseconds / 1_000_000_000_000_000)
        try unsafe CurlFault.check(claviger_curl_set_number(easy, CURLOPT_TIMEOUT_MS, milliseconds))
        try unsafe CurlFault.check(claviger_curl_set_list(easy, CURLOPT_HTTPHEADER, list))
    }

    private func exchange(_ easy: UnsafeMutableRawPointer) throws(CurlFault) -> CurlAnswer {
        var received: [UInt8] = []
        let code = unsafe withUnsafeMutablePointer(to: &received) { target in
            // The context outlives the call, and libcurl calls on this thread only.
            let code = unsafe claviger_curl_set_writer(easy, { bytes, size, count, context in
                guard let bytes = unsafe bytes, let context = unsafe context else { return 0 }
                unsafe context.assumingMemoryBound(to: [UInt8].self).pointee
                    .append(contentsOf: UnsafeRawBufferPointer(start: bytes, count: size * count))
                return size * count
            }, target)
            return unsafe code == CURLE_OK ? curl_easy_perform(easy) : code
        }
        try CurlFault.check(code)
        var status = 0
        try unsafe CurlFault.check(claviger_curl_status(easy, &status))
        return CurlAnswer(status: status, body: received)
    }
}

package struct CurlAnswer: Sendable {
    package let status: Int
    package let body: [UInt8]
}

/// Where an answer goes that is too large to be kept.
@safe private final class CurlReceipt {
    private let easy: UnsafeMutableRawPointer
    private let take: (RawSpan) -> Bool
    /// What another status than 200 came with, its first 64 KiB.
    private(set) var words: [UInt8] = []

    init(_ easy: UnsafeMutableRawPointer, _ take: @escaping (RawSpan) -> Bool) {
        unsafe self.easy = easy
        self.take = take
    }

    var status: Int {
        var status = 0
        unsafe _ = claviger_curl_status(easy, &status)
        return status
    }

    func receive(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard status == 200 else {
            unsafe words.append(contentsOf: bytes.prefix(max(0, 64 << 10 - words.count)))
            return true
        }
        return unsafe take(bytes.bytes)
    }
}
