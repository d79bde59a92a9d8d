// A file of lines that grows at its end and is read from its start, a line at a time, however large it is.

internal import CLinux

/// Open in one process at a time. What it has beyond the last line feed is no line: a write that was cut off.
package struct LineFile: ~Copyable {
    private let descriptor: Descriptor
    private var buffer: [UInt8] = []
    private var start = 0
    /// How far the file was read.
    private var position = 0
    /// Where the last line that `next` gave ends.
    package private(set) var end = 0

    /// - Parameter makes: where there is no such file it is made, of mode 0600; otherwise that is a fault.
    /// - Throws: a fault that `isHeld` where another process has it open.
    package init(_ path: String, makes: Bool) throws(SystemFault) {
        let flags = O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | (makes ? O_CREAT : 0)
        let number = unsafe claviger_openat(AT_FDCWD, path, flags, 0o600)
        guard number >= 0 else { throw .last("open") }
        let file = Descriptor(owning: number)
        var status = stat()
        guard unsafe fstat(file.number, &status) == 0 else { throw .last("fstat") }
        guard Int32(status.st_mode) & S_IFMT == S_IFREG else { throw SystemFault("open", EINVAL) }
        guard claviger_flock(file.number) == 0 else { throw .last("flock") }
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
}
