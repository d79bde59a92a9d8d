// A file of lines that grows at its end and is read from its start, a line at a time, however large it is.

internal import CLinux

/// Written by one process at a time, and read by none meanwhile. What it has beyond the last line feed is no line: a write that was cut off.
package struct LineFile: ~Copyable {
    private let descriptor: Descriptor
    private var buffer: [UInt8] = []
    private var start = 0
    /// How far the file was read.
    private var position = 0
    /// Where the last line that `next` gave ends.
    package private(set) var end = 0

    package enum Use: Sendable {
        /// It is there, and need not be writable.
        case reading
        /// Where it is not there it is made, of mode 0600.
        case growing
    }

    /// - Throws: a fault that `isHeld` where another process has it open and one of both writes; one that `isNoPlainFile`, `isSymbolicLink` or
    ///   `isMissing`.
    package init(_ path: String, for use: Use) throws(SystemFault) {
        let access =
            switch use {
            case .reading: O_RDONLY
            case .growing: O_RDWR | O_APPEND | O_CREAT
            }
        let number = unsafe claviger_openat(AT_FDCWD, path, access | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o600)
        guard number >= 0 else { throw .last("open") }
        let file = Descriptor(owning: number)
        var status = stat()
        guard unsafe fstat(file.number, &status) == 0 else { throw .last("fstat") }
        guard Int32(status.st_mode) & S_IFMT == S_IFREG else { throw SystemFault("open", EISDIR) }
        guard claviger_flock(file.number, use == .reading ? LOCK_SH : LOCK_EX) == 0 else { throw .last("flock") }
        descriptor = file
    }

    /// The next line, without its line feed; nil at the end.
    /// - Throws: a fault that `isTooLarge` where it has more than `limit` bytes.
    package mutating func next(atMost limit: Int) throws(SystemFault) -> [UInt8]? {
        var searched = start
        while true {
            if let feed = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                let line = Array(buffer[start..<feed])
                guard line.count <= limit else { throw SystemFault("read", EFBIG) }
                start = feed + 1
                end += line.count + 1
                return line
            }
            buffer.removeFirst(start)
            start = 0
            searched = buffer.count
            guard searched <= limit else { throw SystemFault("read", EFBIG) }
            guard try fill() else { return nil }
        }
    }

    /// Whether what stands behind the last line that `next` gave, once it gave nil, can be the beginning of `line`.
    package func isCutOff(_ line: String) -> Bool {
        buffer[start...].prefix(line.utf8.count).elementsEqual(line.utf8.prefix(buffer.count - start))
    }

    /// From now on only its owner, who is the caller, reads and writes it.
    /// - Throws: EPERM where it is another user's.
    package func keepToOwner() throws(SystemFault) {
        var status = stat()
        guard unsafe fstat(descriptor.number, &status) == 0 else { throw .last("fstat") }
        guard status.st_uid == effectiveUser else { throw SystemFault("fchmod", EPERM) }
        guard fchmod(descriptor.number, 0o600) == 0 else { throw .last("fchmod") }
    }

    /// Back to the first line.
    package mutating func rewind() {
        (buffer, start, position, end) = ([], 0, 0, 0)
    }

    /// Removes everything behind the last line that `next` gave.
    package mutating func cut() throws(SystemFault) {
        guard ftruncate(descriptor.number, end) == 0 else { throw .last("ftruncate") }
        (buffer, start, position) = ([], 0, end)
    }

    /// Puts lines at the end, and makes the whole file survive a crash (fsync(2)).
    package func append(_ lines: [[UInt8]]) throws(SystemFault) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(lines.reduce(0) { $0 + $1.count + 1 })
        for line in lines {
            bytes += line
            bytes.append(UInt8(ascii: "\n"))
        }
        var written = 0
        while written < bytes.count {
            let n = unsafe bytes.withUnsafeBytes { source in
                unsafe write(descriptor.number, source.baseAddress.map { unsafe $0 + written }, source.count - written)
            }
            if n >= 0 {
                written += n
            } else if claviger_errno() != EINTR {
                throw .last("write")
            }
        }
        guard fsync(descriptor.number) == 0 else { throw .last("fsync") }
    }

    /// False at the end of the file.
    private mutating func fill() throws(SystemFault) -> Bool {
        let chunk = 64 << 10
        let before = buffer.count
        buffer.append(contentsOf: repeatElement(0, count: chunk))
        while true {
            let n = unsafe buffer.withUnsafeMutableBytes { space in
                unsafe pread(descriptor.number, space.baseAddress.map { unsafe $0 + before }, chunk, position)
            }
            if n >= 0 {
                buffer.removeLast(chunk - n)
                position += n
                return n > 0
            }
            guard claviger_errno() == EINTR else { throw .last("read") }
        }
    }
}

extension SystemFault {
    /// Another process has the file open.
    package var isHeld: Bool { code == EWOULDBLOCK }

    /// There is no such file.
    package var isMissing: Bool { code == ENOENT }

    /// It is a directory, a device or the like.
    package var isNoPlainFile: Bool { [EISDIR, ENXIO, ENODEV].contains(code) }

    /// The name is a symbolic link's, which is not followed.
    package var isSymbolicLink: Bool { code == ELOOP }

    /// The file is another user's.
    package var isOthers: Bool { code == EPERM }

    /// There is no room for more.
    package var isFull: Bool { code == ENOSPC || code == EDQUOT }
}
