// A server's picture, as its configuration names it: told by its first bytes, and known by its content.

internal import Kernel
internal import TLS

package final class Icon: Sendable {
    package enum Form: String, Sendable, CaseIterable {
        case png, svg, jpeg, webp

        package var mediaType: String { self == .svg ? "image/svg+xml" : "image/\(rawValue)" }
    }

    package let form: Form
    package let bytes: [UInt8]
    /// Says the content and nothing else: who does not have the file does not guess it.
    package let name: String

    /// Bytes of a file.
    package static let limit = 32 << 10

    /// Nil for what is none of the forms, or larger than the limit.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count <= Icon.limit, let form = Icon.form(of: bytes) else { return nil }
        self.form = form
        self.bytes = bytes
        name = "\(Base64URL.text(Array(Digest256(hashing: bytes.span.raw).bytes.prefix(16)))).\(form.rawValue)"
    }

    private static func form(of bytes: [UInt8]) -> Form? {
        if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) { return .png }
        if bytes.starts(with: [0xFF, 0xD8, 0xFF]) { return .jpeg }
        if bytes.starts(with: "RIFF".utf8), bytes.dropFirst(8).starts(with: "WEBP".utf8) { return .webp }
        guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
        let start = text.drop { $0.isWhitespace || $0 == "\u{FEFF}" }
        let isMarkup = ["<svg", "<?xml", "<!--", "<!DOCTYPE svg"].contains { start.hasPrefix($0) }
        return isMarkup && start.contains("<svg") ? .svg : nil
    }
}
