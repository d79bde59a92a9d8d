// A message handed to a mail server (RFC 5321), on libcurl's side.

internal import CCurl
package import Kernel

extension CurlTransfer {
    package enum MailEncryption: Sendable {
        /// From the first byte on: `smtps://`.
        case implicit
        /// By STARTTLS, or nothing is sent (RFC 3207).
        case demanded
        /// None: for a server of this machine.
        case absent
    }

    /// One message for one recipient.
    ///
    /// - Parameters:
    ///   - server: host and port; an IPv6 address in brackets.
    ///   - name: what the server is greeted with.
    ///   - sender, recipient: addresses without angle brackets.
    ///   - message: header and body with CRLF; libcurl doubles the dots (RFC 5321, section 4.5.2).
    /// - Throws: `invalid` where an address would change the command it stands in.
    package convenience init(
        mailBy server: String, _ encryption: MailEncryption, as name: String, from sender: String, to recipient: String,
        message: consuming LockedBuffer
    ) throws(CurlFault) {
        for word in [name, sender, recipient] where !word.utf8.allSatisfy({ (0x21..<0x7F).contains($0) && $0 != UInt8(ascii: "<") && $0 != UInt8(ascii: ">") }) {
            throw CurlFault(.invalid, "an address with characters that end it")
        }
        let scheme = encryption == .implicit ? "smtps" : "smtp"
        try self.init("\(scheme)://\(server)/\(name)", schemes: scheme, answerLimit: 64 << 10)
        self.message = message
        isMail = true
        try set(CURLOPT_USE_SSL, Int(encryption == .absent ? CURLUSESSL_NONE.rawValue : CURLUSESSL_ALL.rawValue))
        try set(CURLOPT_MAIL_FROM, sender)
        unsafe recipients = curl_slist_append(nil, recipient)
        try unsafe CurlFault.check(claviger_curl_set_list(easy, CURLOPT_MAIL_RCPT, recipients))
        try set(CURLOPT_UPLOAD, 1)
        // The context is this object, which outlives its handle.
        try unsafe CurlFault.check(
            claviger_curl_set_reader(
                easy,
                { target, size, count, context in
                    guard let target = unsafe target, let context = unsafe context else { return 0 }
                    let transfer = unsafe Unmanaged<CurlTransfer>.fromOpaque(context).takeUnretainedValue()
                    return unsafe transfer.give(UnsafeMutableRawBufferPointer(start: target, count: size * count))
                }, Unmanaged.passUnretained(self).toOpaque()))
    }

    /// How we prove ourselves to the server, by whichever of its ways libcurl knows.
    package func authenticate(_ user: String, _ password: RawSpan) throws(CurlFault) {
        try set(CURLOPT_USERNAME, user)
        var text = LockedBuffer(copying: password)
        text.append(byte: 0)
        try unsafe CurlFault.check(claviger_curl_set_text(easy, CURLOPT_PASSWORD, text.start.assumingMemoryBound(to: CChar.self)))
    }

    private func give(_ room: UnsafeMutableRawBufferPointer) -> Int {
        let piece = min(room.count, message.count - taken)
        guard piece > 0, let start = room.baseAddress else { return 0 }
        unsafe start.copyMemory(from: message.start + taken, byteCount: piece)
        taken += piece
        return piece
    }
}
