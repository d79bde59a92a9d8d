// A message for one person, and the bytes it becomes (RFC 5322).

package import Gateway
internal import Kernel

/// Plain text, in a form whose every part is checked or encoded: nothing in it can end a line of the header.
package struct Mail: Sendable {
    package struct Sender: Sendable, Hashable {
        /// Shown before the address; nil shows the address alone.
        package let name: String?
        package let address: UserEmail

        package init(name: String?, address: UserEmail) {
            self.name = name
            self.address = address
        }
    }

    package let sender: Sender
    package let recipient: UserEmail
    /// One line; line breaks in it become blanks.
    package let subject: String
    /// Lines end in LF.
    package let text: String
    /// Seconds since 1970.
    package let date: Int64
    /// Before the `@` of the Message-ID: letters and digits.
    package let identifier: String

    package init(sender: Sender, recipient: UserEmail, subject: String, text: String, date: Int64, identifier: String) {
        self.sender = sender
        self.recipient = recipient
        self.subject = subject
        self.text = text
        self.date = date
        self.identifier = identifier
    }

    /// Header and body. The body is quoted-printable, so that any text is lines of ASCII of 76 characters at most.
    package var bytes: [UInt8] {
        let domain = sender.address.domain.copied()
        let from = sender.name.map { "\(Mail.word($0)) <\(sender.address.text)>" } ?? sender.address.text
        let header = [
            "From: \(from)", "To: \(recipient.text)", "Subject: \(Mail.word(subject))", "Date: \(MailDate.text(date))",
            "Message-ID: <\(identifier.filter { $0.isASCII && ($0.isLetter || $0.isNumber) })@\(String(decoding: domain, as: UTF8.self))>",
            // Nobody's absence note comes back, and no machine answers it (RFC 3834).
            "Auto-Submitted: auto-generated", "MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8",
            "Content-Transfer-Encoding: quoted-printable",
        ]
        return Array((header.joined(separator: "\r\n") + "\r\n\r\n").utf8) + Mail.quotedPrintable(text)
    }

    /// A phrase as it is where it is plain, else as encoded words (RFC 2047), each of 75 characters at most.
    static func word(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x41...0x5A).contains($0 & 0xDF) || $0 == 0x20 || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "'") }
        if isPlain, text.utf8.count <= 200 { return text }
        var words: [String] = []
        var word = ""
        for character in text.unicodeScalars {
            let bytes = character.value < 0x20 || character.value == 0x7F ? [0x20] : Array(String(character).utf8)
            let piece = bytes.map { byte in
                let isSafe = (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte & 0xDF) && byte < 0x80
                return isSafe ? String(UnicodeScalar(byte)) : "=\(Mail.hexadecimal(byte))"
            }.joined()
            if word.utf8.count + piece.utf8.count > 60 {
                words.append(word)
                word = ""
            }
            word += piece
        }
        return (words + [word]).map { "=?utf-8?Q?\($0)?=" }.joined(separator: "\r\n ")
    }

    /// RFC 2045, section 6.7.
    static func quotedPrintable(_ text: String) -> [UInt8] {
        var out: [UInt8] = []
        for line in text.utf8.split(separator: 0x0A, omittingEmptySubsequences: false) {
            var column = 0
            for (at, byte) in line.enumerated() {
                let isLast = at == line.count - 1
                let isPlain = (0x21...0x7E).contains(byte) && byte != UInt8(ascii: "=") || byte == 0x20 && !isLast
                let piece = isPlain ? [byte] : Array("=\(Mail.hexadecimal(byte))".utf8)
                if column + piece.count > 75 {
                    out += Array("=\r\n".utf8)
                    column = 0
                }
                out += piece
                column += piece.count
            }
            out += [0x0D, 0x0A]
        }
        return out
    }

    private static func hexadecimal(_ byte: UInt8) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        return String(decoding: [digits[Int(byte >> 4)], digits[Int(byte & 15)]], as: UTF8.self)
    }
}
