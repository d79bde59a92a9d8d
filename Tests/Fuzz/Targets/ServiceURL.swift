// libFuzzer's entry: every input is a URL that somebody else named. What is taken has one host: libcurl, who connects, reads the same that was checked.

internal import CCurl
internal import OAuth

@_cdecl("LLVMFuzzerTestOneInput")
func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let text = unsafe Array(UnsafeBufferPointer(start: start, count: count))
    if let problem = Properties.service(text) ?? another(text) { fatalError(problem) }
    return 0
}

/// As `CURLOPT_URL` is read. What libcurl refuses is not asked.
private func another(_ text: [UInt8]) -> String? {
    guard let url = try? ServiceURL(String(decoding: text, as: UTF8.self)), let parts = unsafe curl_url() else { return nil }
    defer { unsafe curl_url_cleanup(parts) }
    guard unsafe curl_url_set(parts, CURLUPART_URL, url.text, UInt32(CURLU_GUESS_SCHEME | CURLU_NON_SUPPORT_SCHEME)) == CURLUE_OK else { return nil }
    guard let host = unsafe part(parts, CURLUPART_HOST)?.lowercased(), let port = unsafe part(parts, CURLUPART_PORT, UInt32(CURLU_DEFAULT_PORT)),
        let scheme = unsafe part(parts, CURLUPART_SCHEME)
    else { return "no host for libcurl" }
    guard port == String(url.port), (scheme.lowercased() == "https") == url.isEncrypted else { return "another port or scheme for libcurl" }
    if host == url.host || host == "[\(url.host)]" { return nil }
    // Numbers in any form are one address to libcurl and to the resolver alike (inet_aton).
    let isNumber = host.utf8.allSatisfy { (48...57).contains($0) || $0 == 46 } && url.host.utf8.allSatisfy { (48...57).contains($0) || (97...102).contains($0) || $0 == 46 || $0 == 120 }
    return isNumber ? nil : "another host for libcurl: \(host)"
}

private func part(_ parts: OpaquePointer, _ which: CURLUPart, _ flags: UInt32 = 0) -> String? {
    var text: UnsafeMutablePointer<CChar>?
    guard unsafe curl_url_get(parts, which, &text, flags) == CURLUE_OK, let found = unsafe text else { return nil }
    defer { unsafe curl_free(found) }
    return unsafe String(cString: found)
}
