// What the system says of this process: processor time, memory, descriptors.

internal import CLinux

/// Read anew each time, from getrusage(2), getrlimit(2) and proc(5); what cannot be read is 0.
package struct ProcessFigures: Sendable {
    /// Of all threads, in user and kernel, in seconds.
    package let processorSeconds: Double
    /// In bytes.
    package let residentMemory: Int
    package let virtualMemory: Int
    package let openDescriptors: Int
    /// RLIMIT_NOFILE, the soft one.
    package let mostDescriptors: Int

    package init() {
        var usage = rusage()
        _ = unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        processorSeconds = ProcessFigures.seconds(usage.ru_utime) + ProcessFigures.seconds(usage.ru_stime)
        let pages = ProcessFigures.pages()
        let size = Int(sysconf(Int32(_SC_PAGESIZE)))
        virtualMemory = pages.total * size
        residentMemory = pages.resident * size
        // One of them is the directory itself, open while it is read.
        openDescriptors = max(((try? Directory("/proc/self/fd").names().count) ?? 2) - 2, 0)
        var limit = rlimit()
        _ = unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        mostDescriptors = Int(clamping: limit.rlim_cur)
    }

    private static func seconds(_ time: timeval) -> Double {
        Double(time.tv_sec) + Double(time.tv_usec) / 1e6
    }

    /// The first two numbers of /proc/self/statm.
    private static func pages() -> (total: Int, resident: Int) {
        guard let file = try? Files.read("/proc/self/statm", atMost: 256) else { return (0, 0) }
        let numbers = String(decoding: file.bytes.copied(), as: UTF8.self).split(separator: " ").compactMap { Int($0) }
        return numbers.count < 2 ? (0, 0) : (numbers[0], numbers[1])
    }
}
