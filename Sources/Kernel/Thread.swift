// A thread of our own, by name: loops and blocking look-ups run on such, never on the global pool.

internal import CLinux

package enum Thread {
    /// Starts a thread that runs `body` to its end. The name's first 15 bytes show in `top -H` and `/proc`.
    package static func start(name: String, _ body: @escaping @Sendable () -> Void) throws(SystemFault) {
        let box = unsafe Unmanaged.passRetained(Start(name: name, body: body))
        var thread = pthread_t()
        let code = unsafe pthread_create(
            &thread, nil,
            { argument in
                guard let argument = unsafe argument else { return nil }
                let start = unsafe Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
                unsafe pthread_setname_np(pthread_self(), String(decoding: start.name.utf8.prefix(15), as: UTF8.self))
                start.body()
                return nil
            }, box.toOpaque())
        guard code == 0 else {
            unsafe box.release()
            throw SystemFault("pthread_create", code)
        }
        pthread_detach(thread)
    }

    /// Blocks this thread, for `duration` or until a signal: only for threads on which nothing else runs.
    package static func pause(for duration: Duration) {
        let (seconds, attoseconds) = duration.components
        var time = timespec(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
        unsafe nanosleep(&time, nil)
    }

    /// What tells this thread from every other that lives.
    @inline(always)
    package static var current: UInt {
        UInt(pthread_self())
    }

    private final class Start: Sendable {
        let name: String
        let body: @Sendable () -> Void

        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }
}
