// Another program, run to its end: what it writes is taken, into memory that wipes itself, and nothing of ours is left to it.

internal import CLinux

/// It gets no descriptor of ours (standard input and standard error are /dev/null), the signals' default actions, and a process group of its own.
/// No shell has a part in it.
package struct Program: Sendable {
    /// The first is the program: a path, or a name that is looked for along this process's PATH.
    package let arguments: [String]
    package let environment: [String: String]
    /// How long it may take; then it is killed with its group.
    package let time: Duration
    /// How many bytes it may write.
    package let output: Int

    package init(arguments: [String], environment: [String: String], time: Duration, output: Int) {
        self.arguments = arguments
        self.environment = environment
        self.time = time
        self.output = output
    }

    /// Runs it, on the calling thread, which waits.
    ///
    /// - Returns: what it wrote to standard output, if it ended with status 0. Its children may live on; nobody waits for what they write.
    package func run() throws(ProgramFault) -> LockedBuffer {
        guard !arguments.isEmpty else { throw .notStarted(SystemFault("posix_spawn", EINVAL)) }
        let child: Child
        do throws(SystemFault) { child = try spawn() } catch { throw .notStarted(error) }
        return try child.wait(until: .now().advanced(by: time), atMost: output)
    }

    private func spawn() throws(SystemFault) -> Child {
        var pipe: [Int32] = [-1, -1]
        guard unsafe pipe2(&pipe, O_CLOEXEC | O_NONBLOCK) == 0 else { throw .last("pipe2") }
        let reading = Descriptor(owning: pipe[0])
        let writing = Descriptor(owning: pipe[1])
        // The program's end blocks, as programs expect it.
        guard claviger_fcntl(writing.number, F_SETFL, 0) == 0 else { throw .last("fcntl") }
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, writing.number, STDOUT_FILENO)
        unsafe posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
        unsafe posix_spawn_file_actions_addclosefrom_np(&actions, 3)
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe posix_spawnattr_setsigmask(&attributes, &signals)
        unsafe sigfillset(&signals)
        unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
        unsafe posix_spawnattr_setpgroup(&attributes, 0)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP))
        var argv = unsafe arguments.map { unsafe strdup($0) } + [nil]
        var envp = unsafe environment.map { unsafe strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for unsafe text in unsafe argv + envp { unsafe Program.release(text) } }
        var number: pid_t = 0
        guard let name = unsafe argv[0] else { throw SystemFault("strdup", ENOMEM) }
        let code = unsafe posix_spawnp(&number, name, &actions, &attributes, &argv, &envp)
        guard code == 0 else { throw SystemFault("posix_spawn", code) }
        return try Child(number: number, output: reading)
    }

    /// A command may hold what is secret.
    private static func release(_ text: UnsafeMutablePointer<CChar>?) {
        guard let text = unsafe text else { return }
        unsafe explicit_bzero(text, strlen(text))
        unsafe free(text)
    }
}

/// Why a program gave nothing.
package enum ProgramFault: Error, Equatable, Sendable, CustomStringConvertible {
    case notStarted(SystemFault)
    case failed(status: Int32)
    case ended(signal: Int32)
    case late
    case wroteTooMuch
    case lost(SystemFault)

    package var description: String {
        switch self {
        case .notStarted(let fault): "it cannot be started: \(fault.reason)"
        case .failed(let status): "it ended with exit status \(status)"
        case .ended(let signal): "signal \(signal) ended it"
        case .late: "it took too long and was killed"
        case .wroteTooMuch: "it wrote too much and was killed"
        case .lost(let fault): "it cannot be waited for: \(fault)"
        }
    }
}

/// A process that has been started. It is waited for, once, whatever happens: none is left behind as a zombie.
private struct Child: ~Copyable {
    let number: pid_t
    let output: Descriptor
    /// Readable when the process has ended (pidfd_open(2)).
    let end: Descriptor

    init(number: pid_t, output: consuming Descriptor) throws(SystemFault) {
        let end = claviger_pidfd_open(number)
        guard end >= 0 else {
            let fault = SystemFault.last("pidfd_open")
            kill(-number, SIGKILL)
            _ = waitpid(number, nil, 0)
            throw fault
        }
        self.number = number
        self.output = output
        self.end = Descriptor(owning: end)
    }

    consuming func wait(until deadline: MonotonicTime, atMost limit: Int) throws(ProgramFault) -> LockedBuffer {
        var bytes = LockedBuffer(capacity: 4096)
        do throws(ProgramFault) {
            try take(into: &bytes, until: deadline, atMost: limit)
        } catch {
            // Not reaped yet, so the group's number is nobody else's.
            kill(-number, SIGKILL)
            _ = reap()
            throw error
        }
        let status = reap()
        // wait(2): the low seven bits are the signal, the next eight the exit status.
        if status & 0x7f != 0 { throw .ended(signal: status & 0x7f) }
        if status >> 8 & 0xff != 0 { throw .failed(status: status >> 8 & 0xff) }
        return bytes
    }

    /// Takes what it writes until it has ended.
    private borrowing func take(into bytes: inout LockedBuffer, until deadline: MonotonicTime, atMost limit: Int) throws(ProgramFault) {
        var watched = [pollfd(fd: output.number, events: Int16(POLLIN), revents: 0), pollfd(fd: end.number, events: Int16(POLLIN), revents: 0)]
        while true {
            let now = MonotonicTime.now()
            guard now < deadline else { throw .late }
            let milliseconds = Int32(clamping: (deadline.nanoseconds - now.nanoseconds + 999_999) / 1_000_000)
            let ready = unsafe poll(&watched, 2, milliseconds)
            if ready < 0, claviger_errno() != EINTR { throw .lost(.last("poll")) }
            guard ready > 0 else { continue }
            // Asked before the last read: what was written before the end is all there.
            let hasEnded = watched[1].revents != 0
            while watched[0].fd >= 0 {
                guard let n = try read(into: &bytes) else { break }
                // No more comes; poll passes a negative descriptor over.
                if n == 0 { watched[0].fd = -1 }
                if bytes.count > limit { throw .wroteTooMuch }
            }
            if hasEnded { return }
        }
    }

    /// Nil where nothing is there now, 0 at the end.
    private borrowing func read(into bytes: inout LockedBuffer) throws(ProgramFault) -> Int? {
        var count: Int?
        try bytes.fill(4096) { (space: inout MutableRawSpan) throws(ProgramFault) in
            while true {
                let n = unsafe space.withUnsafeMutableBytes { unsafe CLinux.read(output.number, $0.baseAddress, $0.count) }
                if n >= 0 {
                    count = n
                    return n
                }
                if claviger_errno() == EAGAIN { return 0 }
                if claviger_errno() != EINTR { throw .lost(.last("read")) }
            }
        }
        return count
    }

    private borrowing func reap() -> Int32 {
        var status: Int32 = 0
        while unsafe waitpid(number, &status, 0) < 0, claviger_errno() == EINTR {}
        return status
    }
}
