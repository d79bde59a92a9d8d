// libcurl as the process uses it: started once, its memory wiped when it is given back.

internal import CCurl
internal import Glibc

/// libcurl copies what it is given, keys and tokens among it, into memory of its own and frees it as it is. So that memory comes from
/// functions of ours, which overwrite a block before it is freed or moved.
enum CurlLibrary {
    /// - Throws: where libcurl cannot be started; then never.
    static func start() throws(CurlFault) {
        guard started == CURLE_OK else { throw CurlFault(.other, "libcurl could not be started") }
    }

    private static let started: CURLcode = unsafe curl_global_init_mem(
        Int(CURL_GLOBAL_DEFAULT),
        { size in unsafe malloc(size) },
        { block in unsafe release(block) },
        { block, size in unsafe resized(block, to: size) },
        { text in unsafe text.flatMap { unsafe strdup($0) } },
        { count, size in unsafe calloc(count, size) })

    private static func release(_ block: UnsafeMutableRawPointer?) {
        guard let block = unsafe block else { return }
        unsafe explicit_bzero(block, malloc_usable_size(block))
        unsafe free(block)
    }

    /// `realloc` would leave a copy behind where it moves.
    private static func resized(_ block: UnsafeMutableRawPointer?, to size: Int) -> UnsafeMutableRawPointer? {
        guard let block = unsafe block else { return unsafe malloc(size) }
        let room = unsafe malloc_usable_size(block)
        if size <= room, size > 0 { return unsafe block }
        guard let larger = unsafe malloc(max(size, 1)) else { return nil }
        unsafe larger.copyMemory(from: block, byteCount: min(room, size))
        unsafe release(block)
        return unsafe larger
    }
}

/// Why libcurl gave no whole answer.
package struct CurlFault: Error, Equatable, Sendable {
    package enum Kind: Sendable {
        /// What was asked cannot be sent.
        case invalid
        case unresolved
        /// Nobody listens, or we may not connect.
        case unreachable
        /// No encryption, or not with whom it should be.
        case untrusted
        case timedOut
        /// The connection broke, or what came was no HTTP.
        case broken
        /// More came than may.
        case tooLarge
        case other
    }

    package let kind: Kind
    /// libcurl's words: printable, 200 bytes at most.
    package let words: String

    package init(_ kind: Kind, _ words: String) {
        self.kind = kind
        self.words = words
    }

    /// - Parameter detail: libcurl's error buffer, where it wrote something.
    init(_ code: CURLcode, detail: String = "") {
        let kind: Kind =
            switch code {
            case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: .unresolved
            case CURLE_COULDNT_CONNECT: .unreachable
            case CURLE_OPERATION_TIMEDOUT: .timedOut
            case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER,
                CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS, CURLE_USE_SSL_FAILED:
                .untrusted
            case CURLE_GOT_NOTHING, CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_PARTIAL_FILE, CURLE_WEIRD_SERVER_REPLY, CURLE_HTTP2,
                CURLE_HTTP2_STREAM, CURLE_BAD_CONTENT_ENCODING, CURLE_TOO_MANY_REDIRECTS:
                .broken
            case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL, CURLE_BAD_FUNCTION_ARGUMENT: .invalid
            case CURLE_FILESIZE_EXCEEDED, CURLE_WRITE_ERROR: .tooLarge
            default: .other
            }
        let words = unsafe detail.isEmpty ? String(cString: curl_easy_strerror(code)) : detail
        self.init(kind, String(decoding: words.utf8.prefix(200).map { (0x20..<0x7F).contains($0) ? $0 : UInt8(ascii: "?") }, as: UTF8.self))
    }

    static func check(_ code: CURLcode) throws(CurlFault) {
        guard code == CURLE_OK else { throw CurlFault(code) }
    }
}
