// Documents that were read, for as long as they say, and a little longer where they cannot be read anew.

package import Kernel
internal import Synchronization

/// May be used from any thread.
package final class DocumentShelf: Sendable {
    enum Content: Sendable {
        case document([UInt8])
        case absent

        var size: Int {
            if case .document(let bytes) = self { bytes.count } else { 0 }
        }
    }

    private struct Entry {
        let content: Content
        let freshUntil: MonotonicTime
        let usableUntil: MonotonicTime
    }

    private struct Entries {
        var byURL: [String: Entry] = [:]
        /// Of all documents together.
        var bytes = 0

        mutating func put(_ entry: Entry?, at url: String) {
            bytes += (entry?.content.size ?? 0) - (byURL[url]?.content.size ?? 0)
            byURL[url] = entry
        }
    }

    private let entries = Mutex(Entries())
    private let clock: @Sendable () -> MonotonicTime

    /// Where a document says nothing.
    static let usualLife = Duration.seconds(300)
    static let shortestLife = Duration.seconds(30)
    static let longestLife = Duration.seconds(86_400)
    /// That there is none.
    static let absentLife = Duration.seconds(60)
    private static let capacity = 1000
    /// Others choose the URLs, and what lies there.
    private static let mostBytes = 8 << 20

    package init(clock: @escaping @Sendable () -> MonotonicTime) {
        self.clock = clock
    }

    func fresh(_ url: String) -> Content? {
        let now = clock()
        return entries.withLock { $0.byURL[url].flatMap { now < $0.freshUntil ? $0.content : nil } }
    }

    func stale(_ url: String) -> Content? {
        let now = clock()
        return entries.withLock { $0.byURL[url].flatMap { now < $0.usableUntil ? $0.content : nil } }
    }

    /// - Parameter life: as the document says it; nil where it says nothing.
    func put(_ content: Content, at url: String, for life: Duration?) {
        let now = clock()
        var span = life ?? DocumentShelf.usualLife
        if case .absent = content { span = DocumentShelf.absentLife }
        let entry = Entry(
            content: content, freshUntil: now.advanced(by: min(max(span, DocumentShelf.shortestLife), DocumentShelf.longestLife)),
            usableUntil: now.advanced(by: DocumentShelf.longestLife))
        entries.withLock { entries in
            entries.put(entry, at: url)
            while entries.byURL.count > DocumentShelf.capacity || entries.bytes > DocumentShelf.mostBytes,
                let oldest = entries.byURL.min(by: { $0.value.freshUntil < $1.value.freshUntil })
            {
                entries.put(nil, at: oldest.key)
            }
        }
    }

    /// `max-age` (RFC 9111, section 5.2.2.1); zero for `no-store` and `no-cache`.
    static func life(_ cacheControl: String?) -> Duration? {
        guard let cacheControl else { return nil }
        var life: Duration?
        for directive in cacheControl.lowercased().split(separator: ",") {
            let parts = directive.split(separator: "=", maxSplits: 1).map { $0.filter { $0 != " " && $0 != "\"" && $0 != "\t" } }
            switch parts.first {
            case "no-store", "no-cache": return .zero
            case "max-age": if parts.count == 2, let seconds = Int(parts[1]), seconds >= 0 { life = .seconds(min(seconds, 86_400)) }
            default: break
            }
        }
        return life
    }
}
