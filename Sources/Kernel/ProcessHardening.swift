// The first thing the daemon does: what of its memory could be seen after a crash, or by a debugger, is closed off.

internal import CLinux

package enum ProcessHardening {
    /// Makes the process undumpable (prctl(2) PR_SET_DUMPABLE: no core, no ptrace by the same user, `/proc/self` the root's),
    /// sets its core limit to nothing, and gives the signals of a crash their default actions back: Swift's backtracer, which
    /// prints memory behind registers, is off. To be called before anything else; twice does no harm.
    ///
    /// - Throws: what the kernel did not grant; the process should not go on.
    package static func apply() throws(SystemFault) {
        for signal in crashSignals {
            guard claviger_signal_default(signal) == 0 else { throw .last("signal") }
        }
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        guard unsafe setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none) == 0 else { throw .last("setrlimit") }
        guard claviger_prctl(PR_SET_DUMPABLE, 0) == 0 else { throw .last("prctl") }
    }

    /// Whether all of it is in force, read back from the kernel.
    package static var isInForce: Bool {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit) == 0, limit.rlim_cur == 0 else { return false }
        return claviger_prctl(PR_GET_DUMPABLE, 0) == 0 && crashSignals.allSatisfy { claviger_signal_is_default($0) == 1 }
    }

    private static let crashSignals = [SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV]
}
