// The journal's own socket: entries with fields, many to a system call (systemd's "Native Journal Protocol").

internal import CLinux

/// An entry is its fields, each `NAME=VALUE` and a line feed, in one datagram; no value holds a line feed. Several entries stand one behind the
/// other with an empty line after each, as in the Journal Export Format.
package final class JournalSocket: Sendable {
    package static let usualPath = "/run/systemd/journal/socket"
    /// As many leave with one call.
    private static let most = 64

    private let descriptor: Descriptor
    private let address: SocketAddress
    private let patience: Patience

    /// - Parameter patience: how long the journal may take nothing.
    /// - Throws: where nobody receives at `path`.
    package init(path: String = usualPath, patience: Duration = .seconds(5)) throws(SystemFault) {
        self.patience = Patience(patience)
        let number = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard number >= 0 else { throw .last("socket") }
        descriptor = Descriptor(owning: number)
        address = .unix(path)
        guard unsafe address.withSockaddr({ unsafe connect(number, $0, $1) }) == 0 else { throw .last("connect") }
        var size: Int32 = 8 << 20
        unsafe _ = setsockopt(number, SOL_SOCKET, SO_SNDBUF, &size, socklen_t(MemoryLayout<Int32>.size))
    }

    /// Sends whole entries; waits for a journal that is slow. One that has stopped is waited for once, and then loses what it does not take at once
    /// until it takes something again, so that it keeps nobody from going on, or from ending.
    ///
    /// - Parameter deadline: when the waiting ends in any case.
    /// - Returns: how many were lost.
    package func send(_ entries: RawSpan, until deadline: MonotonicTime) -> Int {
        var lost = 0
        var batch: [Range<Int>] = []
        var start = 0
        while let end = JournalSocket.end(of: entries, from: start) {
            batch.append(start..<end)
            start = end + 1
            if batch.count == JournalSocket.most {
                lost += send(entries, batch, until: deadline)
                batch.removeAll(keepingCapacity: true)
            }
        }
        return lost + send(entries, batch, until: deadline)
    }

    /// Behind the last line feed of the entry that begins at `start`, before the empty line's own; nil where no whole one does.
    private static func end(of entries: RawSpan, from start: Int) -> Int? {
        unsafe entries.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return nil }
            var at = start
            while at < bytes.count, let found = unsafe memchr(base + at, 0x0A, bytes.count - at) {
                at = unsafe UnsafeRawPointer(found) - base + 1
                if at < bytes.count, unsafe bytes[at] == 0x0A { return at }
            }
            return nil
        }
    }

    /// - Parameter batch: 64 at most.
    /// - Returns: how many of them were lost.
    private func send(_ entries: RawSpan, _ batch: [Range<Int>], until deadline: MonotonicTime) -> Int {
        var lost = 0
        var rest = batch[...]
        var mayConnect = true
        var since = MonotonicTime.now()
        while !rest.isEmpty {
            let n = JournalSocket.send(entries, rest, to: descriptor.number)
            if n > 0 {
                rest = rest.dropFirst(n)
                patience.somethingWasTaken()
                since = .now()
                continue
            }
            switch claviger_errno() {
            case EINTR: continue
            case EAGAIN:
                guard patience.wait(for: descriptor.number, since: since, until: deadline) else { return lost + rest.count }
            case EMSGSIZE:
                // Only beyond the socket's buffer, 200 KiB at the least: an entry's message and values are cut long before.
                lost += 1
                rest = rest.dropFirst()
            case ECONNREFUSED, ENOTCONN, ECONNRESET:
                // The journal was started anew.
                guard mayConnect, unsafe address.withSockaddr({ unsafe connect(descriptor.number, $0, $1) }) == 0 else { return lost + rest.count }
                mayConnect = false
            default: return lost + rest.count
            }
        }
        return lost
    }

    /// - Returns: how many were sent, from the front; else errno says why not.
    private static func send(_ entries: RawSpan, _ batch: ArraySlice<Range<Int>>, to number: Int32) -> Int {
        unsafe entries.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return 0 }
            let pieces = unsafe batch.map { unsafe iovec(iov_base: UnsafeMutableRawPointer(mutating: base + $0.lowerBound), iov_len: $0.count) }
            return unsafe pieces.withUnsafeBufferPointer { unsafe Int(claviger_send_each(number, $0.baseAddress, UInt32($0.count))) }
        }
    }
}
