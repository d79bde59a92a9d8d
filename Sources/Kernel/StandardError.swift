// Where the daemon's log goes, and who reads there.

internal import CLinux

package enum StandardError {
    /// Writes everything, waiting for a reader that is slow. What cannot be written (nobody reads any more) is lost: there is no other place to say so.
    package static func write(_ bytes: RawSpan) {
        unsafe bytes.withUnsafeBytes { source in
            var written = 0
            while written < source.count, let base = source.baseAddress {
                let n = unsafe CLinux.write(STDERR_FILENO, base + written, source.count - written)
                if n > 0 { written += n; continue }
                switch claviger_errno() {
                case EINTR: continue
                case EAGAIN:
                    // Somebody who shares the file made it non-blocking.
                    var wanted = pollfd(fd: STDERR_FILENO, events: Int16(POLLOUT), revents: 0)
                    unsafe _ = poll(&wanted, 1, -1)
                default: return
                }
            }
        }
    }

    package static var isTerminal: Bool {
        isatty(STDERR_FILENO) == 1
    }

    /// Whether it is the journal's stream.
    ///
    /// - Parameter stream: the value of `JOURNAL_STREAM`, device and inode with a colon between (systemd.exec(5)). A child may have inherited the
    ///   variable and yet write elsewhere, so the two are compared with the file.
    package static func isJournal(_ stream: String) -> Bool {
        var status = stat()
        guard unsafe fstat(STDERR_FILENO, &status) == 0 else { return false }
        return stream == "\(status.st_dev):\(status.st_ino)"
    }
}
