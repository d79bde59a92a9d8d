// As whom the process runs.

internal import CLinux

package enum ProcessIdentity {
    /// The effective group (credentials(7)).
    package static var group: UInt32 { getegid() }
}
