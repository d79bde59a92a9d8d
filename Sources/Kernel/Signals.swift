// The signals a daemon lives by, as values that are waited for: nothing runs in a handler.

internal import CLinux

package enum Signal: Sendable {
    case terminate, interrupt, hangUp
}

package enum Signals {
    /// Holds the signals back from every thread that is started after this; a write to who has gone is an error instead of a signal.
    /// To be called before there is a second thread.
    package static func hold() {
        var set = held()
        unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
        _ = claviger_signal_ignore(SIGPIPE)
    }

    /// Waits on the calling thread for the next of the signals that are held back.
    package static func next() -> Signal {
        var set = held()
        while true {
            var number: Int32 = 0
            guard unsafe sigwait(&set, &number) == 0 else { continue }
            switch number {
            case SIGTERM: return .terminate
            case SIGINT: return .interrupt
            case SIGHUP: return .hangUp
            default: continue
            }
        }
    }

    private static func held() -> sigset_t {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for number in [SIGTERM, SIGINT, SIGHUP] { unsafe sigaddset(&set, number) }
        return set
    }
}

extension Files {
    /// What is made from now on is for its owner alone, unless its mode is set explicitly (umask(2)). For the whole process.
    package static func createPrivately() {
        umask(0o077)
    }
}

/// The number of a group by its name; nil where there is none. Asks the system's databases: may block.
package func groupNumber(named name: String) -> UInt32? {
    guard let group = unsafe getgrnam(name) else { return nil }
    return unsafe group.pointee.gr_gid
}

/// This process's number.
package var processNumber: Int { Int(getpid()) }

/// Ends the process at once: nothing that is deferred runs.
package func endProcess(_ status: Int32) -> Never {
    _exit(status)
}
