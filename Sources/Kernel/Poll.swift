// epoll(7), edge-triggered, and the eventfd that wakes it.

internal import CLinux

/// What the kernel says of a descriptor.
@usableFromInline package struct Readiness: OptionSet, Sendable {
    @usableFromInline package let rawValue: UInt8
    @inlinable package init(rawValue: UInt8) { self.rawValue = rawValue }

    @inlinable package static var readable: Readiness { Readiness(rawValue: 1) }
    @inlinable package static var writable: Readiness { Readiness(rawValue: 2) }
    /// The peer has sent its last byte.
    @inlinable package static var closed: Readiness { Readiness(rawValue: 4) }
    /// Nothing can be sent either.
    @inlinable package static var broken: Readiness { Readiness(rawValue: 8) }

    /// What epoll's flags say: the end of the peer's bytes is something to read, and a broken connection answers to everything.
    init(epoll flags: UInt32) {
        var bits: UInt8 = 0
        if flags & EPOLLIN.rawValue != 0 { bits |= Readiness.readable.rawValue }
        if flags & EPOLLOUT.rawValue != 0 { bits |= Readiness.writable.rawValue }
        if flags & EPOLLRDHUP.rawValue != 0 { bits |= Readiness.closed.rawValue | Readiness.readable.rawValue }
        if flags & (EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0 { bits = 0xF }
        self.init(rawValue: bits)
    }
}

/// One epoll instance with the eventfd that ends its wait from another thread.
@safe package struct Poll: ~Copyable {
    private let epoll: Descriptor
    private let wakeUp: Descriptor
    private let events: UnsafeMutableBufferPointer<epoll_event>

    /// The token that `wake` reports; no slot may use it.
    package static var wakeToken: UInt64 { .max }

    package init() throws(SystemFault) {
        let epoll = try Poll.owned(epoll_create1(Int32(EPOLL_CLOEXEC)), "epoll_create1")
        let wakeUp = try Poll.owned(eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC)), "eventfd")
        var event = unsafe epoll_event(events: EPOLLIN.rawValue | EPOLLET.rawValue, data: epoll_data_t(u64: Poll.wakeToken))
        guard unsafe epoll_ctl(epoll.number, EPOLL_CTL_ADD, wakeUp.number, &event) == 0 else { throw .last("epoll_ctl") }
        self.epoll = epoll
        self.wakeUp = wakeUp
        unsafe events = .allocate(capacity: 256)
    }

    private static func owned(_ number: Int32, _ call: StaticString) throws(SystemFault) -> Descriptor {
        guard number >= 0 else { throw .last(call) }
        return Descriptor(owning: number)
    }

    deinit {
        unsafe events.deallocate()
    }

    /// Registers `number` for both directions, edge-triggered, once for its life; its close unregisters it.
    package func add(_ number: Int32, token: UInt64) throws(SystemFault) {
        let flags = EPOLLIN.rawValue | EPOLLOUT.rawValue | EPOLLRDHUP.rawValue | EPOLLET.rawValue
        var event = unsafe epoll_event(events: flags, data: epoll_data_t(u64: token))
        guard unsafe epoll_ctl(epoll.number, EPOLL_CTL_ADD, number, &event) == 0 else { throw .last("epoll_ctl") }
    }

    /// Registers a listening socket that is in other epolls as well: of those who wait, a connection wakes one (EPOLLEXCLUSIVE). Edge-triggered.
    package func addShared(_ number: Int32, token: UInt64) throws(SystemFault) {
        let flags = EPOLLIN.rawValue | EPOLLET.rawValue | EPOLLEXCLUSIVE.rawValue
        var event = unsafe epoll_event(events: flags, data: epoll_data_t(u64: token))
        guard unsafe epoll_ctl(epoll.number, EPOLL_CTL_ADD, number, &event) == 0 else { throw .last("epoll_ctl") }
    }

    /// Takes out a descriptor that stays open elsewhere: nobody would be woken for it here.
    package func remove(_ number: Int32) {
        var event = unsafe epoll_event(events: 0, data: epoll_data_t(u64: 0))
        unsafe _ = epoll_ctl(epoll.number, EPOLL_CTL_DEL, number, &event)
    }

    /// Waits up to `milliseconds` (negative: for ever) and tells `body` of each token and its readiness.
    package func wait(milliseconds: Int32, _ body: (UInt64, Readiness) -> Void) {
        let n = unsafe epoll_wait(epoll.number, events.baseAddress, Int32(events.count), milliseconds)
        guard n > 0 else { return }
        for at in 0..<Int(n) {
            let (flags, token) = unsafe (events[at].events, events[at].data.u64)
            body(token, Readiness(epoll: flags))
        }
    }

    /// Ends a wait, from any thread. Edge-triggered: the counter is never read.
    package func wake() {
        var one: UInt64 = 1
        unsafe _ = write(wakeUp.number, &one, 8)
    }
}
