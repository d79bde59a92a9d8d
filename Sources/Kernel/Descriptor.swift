// A file descriptor that closes itself, and the error of a failed system call.

internal import CLinux

/// What a system call refused, by its errno.
package struct SystemFault: Error, Equatable, Sendable, CustomStringConvertible {
    package let call: StaticString
    package let code: Int32

    package init(_ call: StaticString, _ code: Int32) {
        self.call = call
        self.code = code
    }

    /// The fault that errno tells of; to be made at once after the call.
    static func last(_ call: StaticString) -> SystemFault {
        SystemFault(call, claviger_errno())
    }

    package var reason: String {
        unsafe String(cString: strerror(code))
    }

    package var description: String { "\(call): \(reason)" }

    package static func == (left: SystemFault, right: SystemFault) -> Bool { left.code == right.code }
}

/// Owns one descriptor. Closing is what its end does.
package struct Descriptor: ~Copyable, Sendable {
    /// For system calls while this value lives.
    package let number: Int32

    package init(owning number: Int32) {
        self.number = number
    }

    deinit {
        close(number)
    }

    /// Gives up ownership: closing becomes the caller's.
    package consuming func release() -> Int32 {
        let number = self.number
        discard self
        return number
    }
}

extension SystemFault {
    package static var addressInUse: Int32 { EADDRINUSE }
    package static var accessDenied: Int32 { EACCES }
    package static var connectionReset: Int32 { ECONNRESET }

    /// No descriptor is left, of the process's or of the machine's.
    package var isOutOfDescriptors: Bool { code == EMFILE || code == ENFILE }
}
