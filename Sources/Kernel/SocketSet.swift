// A set of descriptors watched level-triggered, for a library that does not say when it has read all there is.

internal import CLinux

/// An epoll of its own whose descriptor can itself be watched: it is readable while one of the set's is ready.
///
/// Watched edge-triggered, as a loop does it, it tells of what newly became ready: so `poll` is called until it finds nothing.
@safe package struct SocketSet: ~Copyable {
    private let epoll: Descriptor
    private let events: UnsafeMutableBufferPointer<epoll_event>

    package init() throws(SystemFault) {
        let number = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard number >= 0 else { throw .last("epoll_create1") }
        epoll = Descriptor(owning: number)
        unsafe events = .allocate(capacity: 64)
    }

    deinit {
        unsafe events.deallocate()
    }

    /// To be watched in place of all of them.
    package var number: Int32 { epoll.number }

    /// Watches `number` for `interest` (`readable`, `writable`) from now on, whether it was in the set or not.
    package func watch(_ number: Int32, _ interest: Readiness) throws(SystemFault) {
        var flags: UInt32 = 0
        if interest.contains(.readable) { flags |= EPOLLIN.rawValue }
        if interest.contains(.writable) { flags |= EPOLLOUT.rawValue }
        var event = unsafe epoll_event(events: flags, data: epoll_data_t(fd: number))
        // Added first: a number that was closed and given out anew is not in the set any more.
        if unsafe epoll_ctl(epoll.number, EPOLL_CTL_ADD, number, &event) == 0 { return }
        let refusal = SystemFault.last("epoll_ctl")
        guard refusal.code == EEXIST else { throw refusal }
        guard unsafe epoll_ctl(epoll.number, EPOLL_CTL_MOD, number, &event) == 0 else { throw .last("epoll_ctl") }
    }

    /// Takes `number` out of the set; one that is closed by now is out of it already.
    package func forget(_ number: Int32) {
        var event = unsafe epoll_event(events: 0, data: epoll_data_t(fd: number))
        unsafe _ = epoll_ctl(epoll.number, EPOLL_CTL_DEL, number, &event)
    }

    /// Tells `body` of those that are ready, 64 at most, without waiting. How many they were.
    package func poll(_ body: (Int32, Readiness) -> Void) -> Int {
        let count = unsafe Int(epoll_wait(epoll.number, events.baseAddress, Int32(events.count), 0))
        guard count > 0 else { return 0 }
        for at in 0..<count {
            let (flags, number) = unsafe (events[at].events, events[at].data.fd)
            body(number, Readiness(epoll: flags))
        }
        return count
    }
}
