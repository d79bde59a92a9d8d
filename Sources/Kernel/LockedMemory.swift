// Memory for secrets: locked against swap as far as the limit allows, left out of core dumps, wiped before it is given back.

internal import CLinux
internal import Synchronization

/// The process's memory for secrets. There is one, because the limit on locked memory (RLIMIT_MEMLOCK) is the process's too.
///
/// Sizes are rounded up to a class, and every class is carved out of chunks of its own, so that secrets of one size reuse one
/// another's place. Taking and releasing lock; reading does not. A chunk is kept for reuse: memory is bounded by its peak.
package enum LockedMemory {
    package struct Usage: Equatable, Sendable {
        /// Bytes mapped for secrets, free ones included.
        package var mapped = 0
        /// How many of them the limit did not allow to be locked: they may reach swap.
        package var unlocked = 0
    }

    package static var usage: Usage {
        state.withLock { $0.usage }
    }

    private static let state = Mutex(State())
    private static let chunk = 64 << 10
    private static let page = 4 << 10

    private struct State: Sendable {
        /// Address of the first free slot of each class, 0 = none; a free slot begins with the next one's address.
        var free = [UInt](repeating: 0, count: 7)
        /// Mappings of one large block each that could not be locked.
        var unlockedLarge: Set<UInt> = []
        var usage = Usage()
    }

    /// Room for `count` bytes, at least; `capacity` says how many.
    fileprivate static func take(_ count: Int) -> (base: UnsafeMutableRawPointer, capacity: Int) {
        guard let (index, size) = sizeClass(count) else {
            let size = (count + page - 1) / page * page
            return unsafe (state.withLock { unsafe map(size, large: true, &$0) }, size)
        }
        let base = unsafe state.withLock { state in
            if state.free[index] == 0 {
                let fresh = unsafe map(chunk, large: false, &state)
                for offset in stride(from: chunk - size, through: 0, by: -size) {
                    unsafe push(fresh + offset, index, &state)
                }
            }
            // The list holds addresses of our own mappings, none of them 0.
            let slot = unsafe UnsafeMutableRawPointer(bitPattern: state.free[index]).unsafelyUnwrapped
            state.free[index] = unsafe slot.load(as: UInt.self)
            return unsafe slot
        }
        return unsafe (base, size)
    }

    /// Wipes `capacity` bytes at `base`, which `take` gave, and takes them back.
    fileprivate static func release(_ base: UnsafeMutableRawPointer, capacity: Int) {
        unsafe explicit_bzero(base, capacity)
        state.withLock { state in
            if let (index, _) = sizeClass(capacity) {
                unsafe push(base, index, &state)
            } else {
                state.usage.mapped -= capacity
                if state.unlockedLarge.remove(UInt(bitPattern: base)) != nil { state.usage.unlocked -= capacity }
                unsafe _ = munmap(base, capacity)
            }
        }
    }

    /// 64, 128 … 4,096 bytes; nil for what gets a mapping of its own.
    private static func sizeClass(_ count: Int) -> (index: Int, size: Int)? {
        guard count <= 64 << 6 else { return nil }
        var index = 0
        while 64 << index < count { index += 1 }
        return (index, 64 << index)
    }

    private static func push(_ slot: UnsafeMutableRawPointer, _ index: Int, _ state: inout State) {
        unsafe slot.storeBytes(of: state.free[index], as: UInt.self)
        state.free[index] = UInt(bitPattern: slot)
    }

    private static func map(_ size: Int, large: Bool, _ state: inout State) -> UnsafeMutableRawPointer {
        let mapping = unsafe mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        // Out of memory, as the language's own allocator ends it: nothing a request could ask for gets here.
        guard let base = unsafe mapping, Int(bitPattern: base) != -1 else { preconditionFailure("no memory left for secrets") }
        unsafe _ = madvise(base, size, Int32(MADV_DONTDUMP))
        state.usage.mapped += size
        if unsafe mlock(base, size) != 0 {
            state.usage.unlocked += size
            if large { state.unlockedLarge.insert(UInt(bitPattern: base)) }
        }
        return unsafe base
    }
}

/// Bytes in locked memory: owned by one, wiped when he lets go or when they move to larger room.
@safe package struct LockedBuffer: ~Copyable, @unchecked Sendable {
    private var base: UnsafeMutableRawPointer
    private var capacity: Int
    package private(set) var count = 0

    /// Room for `capacity` bytes; more is made when needed.
    package init(capacity: Int) {
        unsafe (base, self.capacity) = LockedMemory.take(capacity)
    }

    /// A copy of `bytes`; the caller wipes his own.
    package init(copying bytes: RawSpan) {
        self.init(capacity: bytes.byteCount)
        append(bytes)
    }

    deinit {
        unsafe LockedMemory.release(base, capacity: capacity)
    }

    package var bytes: RawSpan {
        @_lifetime(borrow self)
        get {
            let span = unsafe RawSpan(_unsafeStart: UnsafeRawPointer(base), byteCount: count)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// Where the bytes are, until they are changed or let go: for who owns the buffer and hands out spans of his own.
    package var start: UnsafeRawPointer { unsafe UnsafeRawPointer(base) }

    package mutating func append(_ bytes: RawSpan) {
        reserve(bytes.byteCount)
        unsafe bytes.withUnsafeBytes { source in
            guard let address = source.baseAddress else { return }
            unsafe (base + count).copyMemory(from: address, byteCount: source.count)
        }
        count += bytes.byteCount
    }

    package mutating func append(_ text: StaticString) {
        reserve(text.utf8CodeUnitCount)
        unsafe (base + count).copyMemory(from: text.utf8Start, byteCount: text.utf8CodeUnitCount)
        count += text.utf8CodeUnitCount
    }

    package mutating func append(byte: UInt8) {
        reserve(1)
        unsafe (base + count).storeBytes(of: byte, as: UInt8.self)
        count += 1
    }

    /// Hands room for `space` more bytes to `body`, which says how many of them, from the front, it filled.
    package mutating func fill<E: Error>(_ space: Int, _ body: (inout MutableRawSpan) throws(E) -> Int) throws(E) {
        reserve(space)
        var span = unsafe MutableRawSpan(_unsafeStart: base + count, byteCount: space)
        let filled = try body(&span)
        precondition(filled >= 0 && filled <= space, "no more is filled than there was room")
        count += filled
    }

    /// Appends `n` bytes of the kernel's generator.
    package mutating func appendRandom(_ n: Int) {
        fill(n) { space in
            SecureRandom.fill(&space)
            return n
        }
    }

    private mutating func reserve(_ n: Int) {
        guard capacity - count < n else { return }
        let (larger, room) = unsafe LockedMemory.take(max(capacity * 2, count + n))
        unsafe larger.copyMemory(from: base, byteCount: count)
        unsafe LockedMemory.release(base, capacity: capacity)
        unsafe base = larger
        capacity = room
    }
}
