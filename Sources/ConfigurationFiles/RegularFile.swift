// Reading whole small files, and who may write them.

internal import FoundationEssentials
internal import Kernel

enum RegularFile {
    /// The bytes of a regular file (symbolic links are followed); nil when there is none that can be read.
    static func contents(_ path: String) -> [UInt8]? {
        // A pipe or a device would never end.
        guard attributes(path)?[.type] as? FileAttributeType == .typeRegular else { return nil }
        return FileManager.default.contents(atPath: path).map { Array($0) }
    }

    /// As `contents`; nil also where it has more bytes than `limit`.
    static func contents(_ path: String, atMost limit: Int) -> [UInt8]? {
        guard let size = number(attributes(path)?[.size]), size <= limit else { return nil }
        return contents(path).flatMap { $0.count <= limit ? $0 : nil }
    }

    /// Of what the path leads to, links followed.
    static func attributes(_ path: String) -> [FileAttributeKey: Any]? {
        let target = URL(filePath: path).resolvingSymlinksInPath().path
        // What is a link still leads nowhere.
        guard let found = try? FileManager.default.attributesOfItem(atPath: target), found[.type] as? FileAttributeType != .typeSymbolicLink else { return nil }
        return found
    }

    /// Why a file or directory is not safe to take settings from, with the remedy; nil when it is.
    ///
    /// Whoever can write it can send every credential anywhere: only its owner may, and the groups of root and of the daemon.
    static func exposure(_ path: String) -> String? {
        // What is not there is missed by whoever reads it.
        guard let attributes = attributes(path) else { return nil }
        guard let mode = number(attributes[.posixPermissions]) else { return "its permissions cannot be seen; check who may read the directory" }
        if mode & 0o002 != 0 { return "everyone may write it; take that away: chmod o-w" }
        guard mode & 0o020 != 0 else { return nil }
        let name = attributes[.groupOwnerAccountName] as? String
        let id = number(attributes[.groupOwnerAccountID])
        if id == 0 || id == Int(effectiveGroup) || name == "claviger" { return nil }
        return "its group \(name.map(\.quoted) ?? "") may write it, which is neither root's nor the daemon's; take that away: chmod g-w"
    }

    /// Whether more than the owner may read it.
    static func isReadableByOthers(_ path: String) -> Bool {
        guard let mode = number(attributes(path)?[.posixPermissions]) else { return true }
        return mode & 0o004 != 0
    }

    /// The cast also opens the NSNumber that stands here when all of Foundation is linked.
    private static func number(_ value: Any?) -> Int? {
        (value as? UInt).map { Int(clamping: $0) } ?? (value as? UInt64).map { Int(clamping: $0) } ?? value as? Int
    }
}
