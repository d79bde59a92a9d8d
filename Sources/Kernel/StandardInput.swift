// What a person or a script gives on standard input: secrets, so it lies in memory that wipes itself and is never echoed.

internal import CLinux

package enum StandardInput {
    package static var isTerminal: Bool {
        isatty(STDIN_FILENO) == 1
    }

    /// Everything to the end of the input.
    /// - Throws: a fault that `isTooLarge` where there are more than `limit` bytes.
    package static func read(atMost limit: Int) throws(SystemFault) -> LockedBuffer {
        var bytes = LockedBuffer(capacity: 4096)
        while true {
            let before = bytes.count
            try bytes.fill(4096) { (space: inout MutableRawSpan) throws(SystemFault) in try read(into: &space) }
            if bytes.count == before { return bytes }
            guard bytes.count <= limit else { throw SystemFault("read", EFBIG) }
        }
    }

    /// Writes `prompt` to standard error, and reads one line from the terminal while it echoes nothing. The line feed does not count.
    /// - Throws: also where the terminal was closed before a line was complete.
    package static func readLine(prompt: String) throws(SystemFault) -> LockedBuffer {
        StandardError.write(Array(prompt.utf8).span.raw)
        var before = termios()
        guard unsafe tcgetattr(STDIN_FILENO, &before) == 0 else { throw .last("tcgetattr") }
        var silent = before
        silent.c_lflag &= ~tcflag_t(ECHO)
        guard unsafe tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) == 0 else { throw .last("tcsetattr") }
        defer {
            unsafe _ = tcsetattr(STDIN_FILENO, TCSAFLUSH, &before)
            StandardError.write([UInt8(ascii: "\n")].span.raw)
        }
        var line = LockedBuffer(capacity: 4096)
        while true {
            var ended = false
            let before = line.count
            // A terminal gives a line at a time; one byte a call keeps what follows it for the next prompt.
            try line.fill(1) { (space: inout MutableRawSpan) throws(SystemFault) in
                let n = try read(into: &space)
                ended = n == 1 && space.bytes[0] == UInt8(ascii: "\n")
                return ended ? 0 : n
            }
            if ended { return line }
            guard line.count > before else { throw SystemFault("read", ECANCELED) }
        }
    }

    private static func read(into space: inout MutableRawSpan) throws(SystemFault) -> Int {
        while true {
            let n = unsafe space.withUnsafeMutableBytes { unsafe CLinux.read(STDIN_FILENO, $0.baseAddress, $0.count) }
            if n >= 0 { return n }
            if claviger_errno() != EINTR { throw .last("read") }
        }
    }
}
