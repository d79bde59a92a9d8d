// Documents that others choose are kept for their time, and never more of them than there is room for.

import Kernel
@testable import OAuth
import Synchronization
import Testing

@Suite struct DocumentShelfTests {
    private final class Clock: Sendable {
        let time = Mutex(MonotonicTime(nanoseconds: 1_000_000_000))
        func advance(_ duration: Duration) { time.withLock { $0 = $0.advanced(by: duration) } }
    }

    private let clock = Clock()

    private func shelf() -> DocumentShelf {
        let clock = clock
        return DocumentShelf(clock: { clock.time.withLock { $0 } })
    }

    private func isThere(_ content: DocumentShelf.Content?) -> Bool { content != nil }

    @Test func `a document is fresh for its time, and there for a day where it cannot be read anew`() {
        let shelf = shelf()
        shelf.put(.document([1]), at: "u", for: .seconds(60))
        #expect(isThere(shelf.fresh("u")))
        clock.advance(.seconds(60))
        #expect(!isThere(shelf.fresh("u")) && isThere(shelf.stale("u")))
        clock.advance(.seconds(86_400))
        #expect(!isThere(shelf.stale("u")))
    }

    @Test func `the oldest make room, by number and by bytes`() {
        let shelf = shelf()
        for number in 0..<64 {
            shelf.put(.document([UInt8](repeating: 0, count: 256 << 10)), at: "big \(number)", for: nil)
            clock.advance(.milliseconds(1))
        }
        #expect(!isThere(shelf.fresh("big 0")) && isThere(shelf.fresh("big 63")))
        #expect((0..<64).count { isThere(shelf.fresh("big \($0)")) } == 32)
        for number in 0..<2000 {
            shelf.put(.absent, at: "none \(number)", for: nil)
            clock.advance(.milliseconds(1))
        }
        #expect(isThere(shelf.fresh("none 1999")))
        #expect((0..<2000).count { isThere(shelf.fresh("none \($0)")) } < 1001)
    }

    @Test(arguments: [
        ("max-age=600", 600), ("public, MAX-AGE=\"60\"", 60), ("no-store", 0), ("no-cache, max-age=60", 0), ("max-age=99999999", 86_400), ("private", nil),
        ("max-age=-1", nil), ("max-age=a", nil),
    ] as [(String, Int?)])
    func `a life is read from Cache-Control`(field: String, seconds: Int?) {
        #expect(DocumentShelf.life(field) == seconds.map { Duration.seconds($0) })
    }
}
