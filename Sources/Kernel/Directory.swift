// An open directory of small files that must survive a crash: each step of writing one is a call of its own.

internal import CLinux

/// Names are single ones: of files in this directory, never paths. What is a symbolic link is not followed.
package final class Directory: Sendable {
    package let path: String
    private let descriptor: Descriptor

    /// What is known of a file without reading it.
    package struct Status: Sendable {
        package let size: Int
        /// The permission bits.
        package let mode: UInt32
        package let owner: UInt32
    }

    /// Opens the directory at `path`; where there is none, makes it (not what it lies in) with the permission bits `mode`.
    package init(_ path: String, createdWith mode: UInt32? = nil) throws(SystemFault) {
        self.path = path
        if let mode, unsafe mkdir(path, mode) != 0, claviger_errno() != EEXIST { throw .last("mkdir") }
        let number = unsafe claviger_openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
        guard number >= 0 else { throw .last("open") }
        descriptor = Descriptor(owning: number)
    }

    /// The directory's own permission bits and owner.
    package func status() throws(SystemFault) -> Status {
        try Directory.status(descriptor.number)
    }

    package func setMode(_ mode: UInt32) throws(SystemFault) {
        guard fchmod(descriptor.number, mode) == 0 else { throw .last("fchmod") }
    }

    /// A file's content, in memory that wipes itself, and its status; nil where there is no such file.
    /// - Throws: a fault that `isTooLarge` where it has more than `limit` bytes, EINVAL where it is neither file nor directory.
    package func read(_ name: String, atMost limit: Int) throws(SystemFault) -> FileContent? {
        let number = unsafe claviger_openat(descriptor.number, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0)
        guard number >= 0 else {
            if claviger_errno() == ENOENT { return nil }
            throw .last("open")
        }
        return try FileContent(of: Descriptor(owning: number), atMost: limit)
    }

    /// Makes a new file with the permission bits `mode`; it is not yet sure to survive a crash, nor is its name.
    /// - Throws: EEXIST where the name is taken.
    package func create(_ name: String, mode: UInt32) throws(SystemFault) -> NewFile {
        let number = unsafe claviger_openat(descriptor.number, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)
        guard number >= 0 else { throw .last("create") }
        let file = Descriptor(owning: number)
        // The umask must not decide.
        guard fchmod(file.number, mode) == 0 else { throw .last("fchmod") }
        return NewFile(descriptor: file)
    }

    /// Gives a file another name, whose file it replaces in one step.
    package func rename(_ name: String, to other: String) throws(SystemFault) {
        guard unsafe renameat(descriptor.number, name, descriptor.number, other) == 0 else { throw .last("rename") }
    }

    /// Gives a file a second name.
    /// - Throws: EEXIST where it is taken.
    package func link(_ name: String, to other: String) throws(SystemFault) {
        guard unsafe linkat(descriptor.number, name, descriptor.number, other, 0) == 0 else { throw .last("link") }
    }

    /// Removes a name; false where there was none.
    @discardableResult
    package func remove(_ name: String) throws(SystemFault) -> Bool {
        if unsafe unlinkat(descriptor.number, name, 0) == 0 { return true }
        if claviger_errno() == ENOENT { return false }
        throw .last("unlink")
    }

    /// Makes names given, replaced and removed so far survive a crash (fsync(2)).
    package func sync() throws(SystemFault) {
        guard fsync(descriptor.number) == 0 else { throw .last("fsync") }
    }

    /// Every name in it, in no order, without `.` and `..`. Those that are not UTF-8 are left out.
    package func names() throws(SystemFault) -> [String] {
        // A descriptor of its own: fdopendir takes it over, and reading must not share a position.
        let number = unsafe claviger_openat(descriptor.number, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
        guard number >= 0 else { throw .last("open") }
        guard let stream = unsafe fdopendir(number) else {
            close(number)
            throw .last("fdopendir")
        }
        defer { unsafe _ = closedir(stream) }
        var names: [String] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                unsafe String(validating: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if let name, name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    fileprivate static func status(_ number: Int32) throws(SystemFault) -> Status {
        var status = stat()
        guard unsafe fstat(number, &status) == 0 else { throw .last("fstat") }
        let kind = Int32(status.st_mode) & S_IFMT
        guard kind == S_IFREG || kind == S_IFDIR else { throw SystemFault("open", EINVAL) }
        return Status(size: status.st_size, mode: status.st_mode & 0o7777, owner: status.st_uid)
    }

    fileprivate static func read(_ number: Int32, into space: inout MutableRawSpan) throws(SystemFault) -> Int {
        while true {
            let n = unsafe space.withUnsafeMutableBytes { unsafe CLinux.read(number, $0.baseAddress, $0.count) }
            if n >= 0 { return n }
            if claviger_errno() != EINTR { throw .last("read") }
        }
    }
}

extension Files {
    /// A file's content by its path, links followed; the rest as `Directory.read` does it. For what others than us lay down, such as tokens.
    package static func read(_ path: String, atMost limit: Int) throws(SystemFault) -> FileContent? {
        let number = unsafe claviger_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0)
        guard number >= 0 else {
            if claviger_errno() == ENOENT { return nil }
            throw .last("open")
        }
        return try FileContent(of: Descriptor(owning: number), atMost: limit)
    }
}

extension SystemFault {
    /// The file has more bytes than was allowed.
    package var isTooLarge: Bool { code == EFBIG }

    /// As where a name is another file's already.
    package static let taken = SystemFault("open", EEXIST)

    /// The name is another file's already.
    package var isTaken: Bool { code == EEXIST }
}

/// A file that was read whole.
package struct FileContent: ~Copyable {
    package let status: Directory.Status
    private let buffer: LockedBuffer

    /// Reads it to its end.
    fileprivate init(of file: consuming Descriptor, atMost limit: Int) throws(SystemFault) {
        let status = try Directory.status(file.number)
        // One byte more than allowed is asked for, so that a file that grew meanwhile is noticed too.
        var bytes = LockedBuffer(capacity: min(status.size, limit) + 1)
        while true {
            let before = bytes.count
            guard before <= limit else { throw SystemFault("read", EFBIG) }
            try bytes.fill(limit + 1 - before < 4096 ? limit + 1 - before : 4096) { (space: inout MutableRawSpan) throws(SystemFault) in
                try Directory.read(file.number, into: &space)
            }
            if bytes.count == before { break }
        }
        self.status = status
        buffer = bytes
    }

    package var bytes: RawSpan {
        @_lifetime(borrow self)
        get { buffer.bytes }
    }
}

/// A file that is being written.
package struct NewFile: ~Copyable {
    fileprivate let descriptor: Descriptor

    package func write(_ bytes: RawSpan) throws(SystemFault) {
        var rest = bytes
        while !rest.isEmpty {
            let n = unsafe rest.withUnsafeBytes { unsafe CLinux.write(descriptor.number, $0.baseAddress, $0.count) }
            if n >= 0 {
                rest = rest.extracting(droppingFirst: n)
            } else if claviger_errno() != EINTR {
                throw .last("write")
            }
        }
    }

    /// Makes the content survive a crash (fsync(2)).
    package func sync() throws(SystemFault) {
        guard fsync(descriptor.number) == 0 else { throw .last("fsync") }
    }
}

/// The user this process acts as.
package var effectiveUser: UInt32 { geteuid() }

/// The group this process acts as.
package var effectiveGroup: UInt32 { getegid() }
