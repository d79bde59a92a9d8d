// Why a message is not read any further. After any of these the connection is closed; nothing behind it is parsed.

/// What is wrong with a message. Bytes that follow belong to nobody: answer, close.
package enum MessageFault: Error, Equatable, Sendable {
    /// Against RFC 9112 or open to two readings.
    case malformed(Malformation)
    /// A version other than HTTP/1.0 and HTTP/1.1.
    case unsupportedVersion
    /// The first line is longer than `HeadLimits.line`.
    case lineTooLong
    /// The fields are longer than `HeadLimits.head`, or more than `HeadLimits.fields`.
    case headTooLarge
    /// TRACE or CONNECT.
    case methodNotAllowed
    /// An Expect other than one `100-continue`.
    case expectationFailed
    /// The peer closed before the body's end.
    case truncated
}

/// What makes a message malformed, in words for the log. It repeats no byte of the message.
package enum Malformation: String, Error, CaseIterable, Sendable {
    case bareLineFeed = "a line feed without a carriage return"
    case bareCarriageReturn = "a carriage return without a line feed"
    case controlByte = "a control byte"
    case nonASCII = "a byte beyond ASCII in the request line"
    case requestLine = "a request line that is not METHOD SP TARGET SP VERSION"
    case statusLine = "a status line that is not VERSION SP STATUS"
    case target = "a request target in none of the four forms, or with bytes it cannot have"
    case authority = "an authority that is not a host with an optional port"
    case leadingWhitespace = "a line that begins with white space"
    case missingColon = "a field line without a colon"
    case emptyName = "a field without a name"
    case whitespaceBeforeColon = "white space before a colon"
    case fieldName = "a field name with bytes it cannot have"
    case underscoredFraming = "Content-Length or Transfer-Encoding spelt with an underscore"
    case hostMissing = "no Host"
    case hostRepeated = "more than one Host"
    case host = "a Host that is not a host with an optional port"
    case contentLength = "a Content-Length that is not a number within bounds"
    case contentLengthRepeated = "more than one Content-Length"
    case transferCoding = "a Transfer-Encoding other than chunked"
    case transferEncodingRepeated = "more than one Transfer-Encoding"
    case transferEncodingInHTTP10 = "Transfer-Encoding in HTTP/1.0"
    case bothLengths = "Content-Length together with Transfer-Encoding"
    case connectionOption = "a Connection option that is not a token"
    case chunkSize = "a chunk size that is not 1 to 16 hexadecimal digits within bounds"
    case chunkExtension = "chunk extensions with bytes they cannot have, or too many"
    case chunkEnd = "a chunk that does not end where its size says"
    case trailers = "trailers longer or more than are taken"
    case forbiddenTrailer = "a trailer field that must not be one"
}
