// A file that is read piece by piece, wherever its name has gone meanwhile.

internal import CLinux

/// May be read from any thread.
package final class StoredFile: Sendable {
    private let descriptor: Descriptor
    package let size: Int

    /// - Throws: also where it is no regular file, or a symbolic link.
    package init(_ path: String) throws(SystemFault) {
        let number = unsafe claviger_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0)
        guard number >= 0 else { throw .last("open") }
        let file = Descriptor(owning: number)
        var status = stat()
        guard unsafe fstat(file.number, &status) == 0 else { throw .last("fstat") }
        guard Int32(status.st_mode) & S_IFMT == S_IFREG else { throw SystemFault("open", EISDIR) }
        size = status.st_size
        descriptor = file
    }

    /// The bytes from `offset` on, `count` at most; none at the end.
    package func read(_ count: Int, at offset: Int) throws(SystemFault) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        while true {
            let n = unsafe bytes.withUnsafeMutableBytes { unsafe pread(descriptor.number, $0.baseAddress, $0.count, offset) }
            if n >= 0 {
                bytes.removeLast(count - n)
                return bytes
            }
            if claviger_errno() != EINTR { throw .last("read") }
        }
    }
}
