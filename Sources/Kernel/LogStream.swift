// Standard error as the log goes there: whole lines, for a reader that may be slow, and one that has stopped.

internal import CLinux
internal import Synchronization

/// One thread uses it at a time.
package final class LogStream: Sendable {
    /// So much a pipe takes without blocking when it is ready for anything (POSIX, PIPE_BUF).
    private static let piece = 4096

    private let number: Int32
    private let patience: Patience
    /// Whether what stands there last is a line without its end.
    private let isWithinLine = Atomic(false)

    /// - Parameters:
    ///   - number: of a descriptor that stays open; it need not be non-blocking, since others may share it.
    ///   - patience: how long a reader may take nothing.
    package init(descriptor number: Int32 = STDERR_FILENO, patience: Duration = .seconds(5)) {
        self.number = number
        self.patience = Patience(patience)
    }

    /// Writes whole lines; waits for a reader that is slow, and after its patience goes on without what he did not take, until he reads again.
    ///
    /// - Parameter deadline: when it ends in any case.
    /// - Returns: how many lines were lost.
    package func write(_ lines: RawSpan, until deadline: MonotonicTime) -> Int {
        unsafe lines.withUnsafeBytes { source in
            if isWithinLine.load(ordering: .relaxed) {
                guard unsafe [UInt8(ascii: "\n")].withUnsafeBytes({ unsafe put($0, until: deadline) }) == 1 else { return unsafe LogStream.lines(in: source[...]) }
                isWithinLine.store(false, ordering: .relaxed)
            }
            let written = unsafe put(source, until: deadline)
            guard written < source.count else { return 0 }
            if written > 0 { isWithinLine.store(unsafe source[written - 1] != UInt8(ascii: "\n"), ordering: .relaxed) }
            return unsafe LogStream.lines(in: source[written...])
        }
    }

    /// - Returns: how many bytes were written.
    private func put(_ source: UnsafeRawBufferPointer, until deadline: MonotonicTime) -> Int {
        guard let base = source.baseAddress else { return 0 }
        // A file never waits for anybody, and takes everything at once.
        let most = isFile ? source.count : LogStream.piece
        var written = 0
        var since = MonotonicTime.now()
        while written < source.count, patience.wait(for: number, since: since, until: deadline) {
            let n = unsafe CLinux.write(number, base + written, min(source.count - written, most))
            if n > 0 {
                written += n
                patience.somethingWasTaken()
                since = .now()
            } else if claviger_errno() != EINTR, claviger_errno() != EAGAIN {
                break
            }
        }
        return written
    }

    private var isFile: Bool {
        var status = stat()
        return unsafe fstat(number, &status) == 0 && Int32(status.st_mode) & S_IFMT == S_IFREG
    }

    private static func lines(in bytes: UnsafeRawBufferPointer.SubSequence) -> Int {
        unsafe bytes.reduce(0) { $1 == UInt8(ascii: "\n") ? $0 + 1 : $0 }
    }
}
