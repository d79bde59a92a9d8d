// How many descriptors this process may have open (RLIMIT_NOFILE, getrlimit(2)).

internal import CLinux

package enum OpenFiles {
    /// Raises the soft limit to the hard one: the soft one is low for the sake of select(2), which nobody here uses.
    /// - Returns: the limit now in force.
    package static func raiseLimit() -> Int {
        var limit = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard unsafe getrlimit(resource, &limit) == 0 else { return 0 }
        if limit.rlim_cur < limit.rlim_max {
            var raised = limit
            raised.rlim_cur = limit.rlim_max
            if unsafe setrlimit(resource, &raised) == 0 { limit = raised }
        }
        return Int(clamping: limit.rlim_cur)
    }

    /// The number that the next descriptor would get, which is the lowest free one (open(2)); nil where there is none left.
    package static var lowestFree: Int32? {
        let number = claviger_fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0)
        guard number >= 0 else { return nil }
        close(number)
        return number
    }
}
