// The sockets that systemd opened and handed over: they outlive the process, so that a restart refuses no connection.

internal import CSystemd
package import Kernel

/// A socket of a `.socket` unit, by the name that its `FileDescriptorName=` gives it.
package struct ActivatedSocket: ~Copyable {
    package let name: String
    package let descriptor: Descriptor

    /// For the owner of both; the socket goes on listening in systemd after this process has closed it.
    package consuming func take() -> Descriptor { descriptor }
}

extension ActivatedSocket {
    /// Everything that was handed over; it is so once, a second call finds nothing. Descriptors are closed on exec, and the variables that told
    /// of them are gone: to be called before there is a second thread.
    ///
    /// - Parameter body: is given each, in the order of the unit's lines. A name may come several times.
    /// - Throws: where the variables make no sense (sd_listen_fds(3)).
    package static func takeAll(_ body: (consuming ActivatedSocket) -> Void) throws(SystemFault) {
        var names: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
        let count = unsafe sd_listen_fds_with_names(1, &names)
        guard count >= 0 else { throw SystemFault("sd_listen_fds_with_names", -count) }
        for at in 0..<Int(count) {
            let text = unsafe names?[at]
            let name = unsafe text.map { unsafe String(cString: $0) } ?? ""
            unsafe free(text)
            body(ActivatedSocket(name: name, descriptor: Descriptor(owning: SD_LISTEN_FDS_START + Int32(at))))
        }
        unsafe free(names)
    }
}
