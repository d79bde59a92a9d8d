// What tells one state of a file from another without reading it.

internal import CLinux

/// A file's identity, size and times, symbolic links followed. Two that are equal: nobody has written or replaced it in between.
package struct FileMark: Equatable, Sendable {
    private let device: UInt64
    private let number: UInt64
    private let size: Int64
    private let mode: UInt32
    private let changes: [Int]

    /// Nil where nothing is at `path`, or it cannot be looked at.
    package init?(_ path: String) {
        var found = stat()
        guard unsafe stat(path, &found) == 0 else { return nil }
        device = UInt64(found.st_dev)
        number = UInt64(found.st_ino)
        size = Int64(found.st_size)
        mode = found.st_mode
        changes = [found.st_mtim.tv_sec, found.st_mtim.tv_nsec, found.st_ctim.tv_sec, found.st_ctim.tv_nsec]
    }

    /// Not a directory, pipe or device: reading it comes to an end.
    package var isRegular: Bool { mode & 0o170000 == 0o100000 }
}
