// A file that lasts as long as one closure.

internal import COpenSSL
internal import Kernel
import Testing

enum TemporaryFile {
    static func with<R>(_ content: [UInt8], _ body: (String) throws -> R) throws -> R {
        let path = "/tmp/claviger-tls-\(UInt64.random(in: .min ... .max))"
        defer { Files.remove(path) }
        let file = try unsafe #require(BIO_new_file(path, "wx"))
        unsafe BIO_write(file, content, Int32(content.count))
        unsafe BIO_free(file)
        return try body(path)
    }
}
