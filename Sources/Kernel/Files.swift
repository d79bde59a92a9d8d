// What a socket's path needs of the file system.

internal import CLinux

package enum Files {
    /// Removes a file or socket; nothing there is no fault.
    @discardableResult
    package static func remove(_ path: String) -> SystemFault? {
        guard unsafe unlink(path) != 0, claviger_errno() != ENOENT else { return nil }
        return .last("unlink")
    }

    /// Sets the permission bits.
    package static func setMode(_ path: String, _ mode: UInt32) throws(SystemFault) {
        guard unsafe chmod(path, mode) == 0 else { throw .last("chmod") }
    }

    /// Gives a file to a group, keeping its owner. One that is the group's already is left alone: under systemd the call is forbidden.
    package static func setGroup(_ path: String, _ group: UInt32) throws(SystemFault) {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { throw .last("lstat") }
        if status.st_gid == group { return }
        guard unsafe chown(path, uid_t.max, group) == 0 else { throw .last("chown") }
    }
}
