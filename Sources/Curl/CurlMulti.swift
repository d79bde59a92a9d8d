// libcurl's multi handle, driven from outside: which sockets it waits for, until when, and which transfers have ended.

internal import CCurl
internal import Glibc
package import Kernel

/// Belongs to one thread. Whoever drives it waits until `number` is readable or `deadline` has passed, then calls `act` until nothing
/// was ready, or `expire`; after either, `nextFinished` tells of what ended.
///
/// How many transfers run at once is the driver's to bound: libcurl's own limits on connections are not used, so none waits inside libcurl.
@safe package final class CurlMulti {
    private let multi: UnsafeMutableRawPointer
    private let sockets: SocketSet
    /// By the address of their handle.
    private var running: [UInt: CurlTransfer] = [:]
    /// When libcurl wants to be called though nothing is ready.
    package private(set) var deadline = MonotonicTime.never

    /// - Parameter idle: how many connections are kept for the next transfer.
    /// - Throws: `CurlFault` where there is no libcurl, or no descriptor left.
    package init(idle: Int) throws(CurlFault) {
        try CurlLibrary.start()
        do {
            sockets = try SocketSet()
        } catch {
            throw CurlFault(.other, "\(error)")
        }
        guard let multi = unsafe curl_multi_init() else { throw CurlFault(.other, "libcurl has no room") }
        unsafe self.multi = multi
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        // Both are called from within the calls below only, so on the owner's thread and while this lives.
        unsafe claviger_multi_set_callbacks(
            multi,
            { easy, socket, what, context, _ in
                guard let context = unsafe context else { return -1 }
                unsafe Unmanaged<CurlMulti>.fromOpaque(context).takeUnretainedValue().watch(UInt(bitPattern: easy), socket, what)
                return 0
            },
            { _, milliseconds, context in
                guard let context = unsafe context else { return -1 }
                unsafe Unmanaged<CurlMulti>.fromOpaque(context).takeUnretainedValue().schedule(milliseconds)
                return 0
            }, context)
        unsafe claviger_multi_set_number(multi, CURLMOPT_MAXCONNECTS, idle)
    }

    deinit {
        for transfer in running.values { unsafe curl_multi_remove_handle(multi, transfer.handle) }
        unsafe curl_multi_cleanup(multi)
    }

    package var number: Int32 { sockets.number }

    /// Begins a transfer at the next `expire`, which is due at once.
    package func add(_ transfer: CurlTransfer) throws(CurlFault) {
        try transfer.prepare()
        guard unsafe curl_multi_add_handle(multi, transfer.handle) == CURLM_OK else { throw CurlFault(.other, "libcurl takes no more transfers") }
        running[transfer.address] = transfer
    }

    /// Ends a transfer that has not finished, and its connection with it.
    package func abandon(_ transfer: CurlTransfer) {
        // libcurl would end a message in the midst of it, and wait for the server's word: on a connection that is shut down it cannot.
        if transfer.isMail, transfer.socket >= 0 { _ = shutdown(transfer.socket, Int32(SHUT_RDWR)) }
        remove(transfer)
    }

    private func remove(_ transfer: CurlTransfer) {
        unsafe curl_multi_remove_handle(multi, transfer.handle)
        running[transfer.address] = nil
    }

    /// Lets libcurl read and write where that is possible now. Whether anything was ready: then more may be.
    package func act() -> Bool {
        var ready: [(Int32, Int32)] = []
        let count = sockets.poll { number, readiness in
            var what: Int32 = 0
            if readiness.contains(.readable) { what |= CURL_CSELECT_IN }
            if readiness.contains(.writable) { what |= CURL_CSELECT_OUT }
            if readiness.contains(.broken) { what |= CURL_CSELECT_ERR }
            ready.append((number, what))
        }
        var left: Int32 = 0
        // libcurl may change the set meanwhile; one that it closed it is asked about in vain, which it bears.
        for (number, what) in ready { unsafe curl_multi_socket_action(multi, number, what, &left) }
        return count > 0
    }

    /// Lets libcurl do what is due.
    package func expire() {
        deadline = .never
        var left: Int32 = 0
        unsafe curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &left)
    }

    /// A transfer that has ended and is taken out, and why it has no whole answer where it has none; nil where none is left.
    package func nextFinished() -> (transfer: CurlTransfer, fault: CurlFault?)? {
        var code = CURLE_OK
        while let easy = unsafe claviger_multi_finished(multi, &code) {
            guard let transfer = running[UInt(bitPattern: easy)] else { continue }
            remove(transfer)
            return (transfer, code == CURLE_OK ? nil : transfer.fault(code))
        }
        return nil
    }

    // MARK: What libcurl says

    private func watch(_ easy: UInt, _ socket: Int32, _ what: Int32) {
        running[easy]?.socket = what == CURL_POLL_REMOVE ? -1 : socket
        var interest: Readiness = []
        if what & CURL_POLL_IN != 0 { interest.insert(.readable) }
        if what & CURL_POLL_OUT != 0 { interest.insert(.writable) }
        guard !interest.isEmpty else { return sockets.forget(socket) }
        // Where epoll takes no more the transfer ends by its time limit.
        try? sockets.watch(socket, interest)
    }

    private func schedule(_ milliseconds: Int) {
        deadline = milliseconds < 0 ? .never : MonotonicTime.now().advanced(by: .milliseconds(milliseconds))
    }
}
