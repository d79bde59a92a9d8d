// CredentialView: what a worker may take as known, and until when.

@testable import Credentials
@testable import Gateway
import Kernel
import Metrics
import Testing

@Suite struct CredentialViewTests {
    private let log = InvalidationLog(capacity: 4)
    private let uses = UseLog(capacity: 1_000)
    private let metrics = Metrics(workers: 1, refusals: [], version: "test")
    private let crm: ServerInstance
    private let start = MonotonicTime(nanoseconds: 1_000_000_000)

    init() throws {
        crm = try instance(of: try server())
    }

    private func view(capacity: Int = 100) -> CredentialView {
        CredentialView(of: log, uses, capacity: capacity, metrics: metrics.shard(0))
    }

    private func key(_ n: Int) throws -> CacheKey {
        CacheKey(crm, user: try user("u\(n)@acme.com"))
    }

    private func cached(
        _ n: Int, _ answer: CredentialAnswer? = nil, until end: MonotonicTime? = nil, refreshFrom: MonotonicTime? = nil, isStale: Bool = false
    ) throws -> CachedCredential {
        let hit = CredentialAnswer.hit(try RenderedCredential.render(try fields("t\(n)"), for: crm.server))
        return CachedCredential(
            key: try key(n), answer: answer ?? hit, server: crm.server, freshUntil: end ?? start.advanced(by: .seconds(300)),
            refreshFrom: refreshFrom, isStale: isStale, sequence: log.sequence)
    }

    @Test func `what was put in is known until its time is over`() throws {
        var view = view()
        #expect(view.lookup(try key(1), crm, now: start) == nil)
        #expect(view.insert(try cached(1)).lines == "X-token: t1\r\n")
        let end = start.advanced(by: .seconds(300))
        #expect(view.lookup(try key(1), crm, now: MonotonicTime(nanoseconds: end.nanoseconds - 1))?.lines == "X-token: t1\r\n")
        #expect(view.lookup(try key(2), crm, now: start) == nil)
        #expect(view.lookup(try key(1), crm, now: end) == nil)
        #expect(view.count == 0)
        #expect(metrics.value(.cacheHits) == 1)
        #expect(metrics.value(.cachedCredentials) == 0)
    }

    @Test func `absence and invalidity are known as well`() throws {
        var view = view()
        _ = view.insert(try cached(1, .missing))
        _ = view.insert(try cached(2, .invalid("token is empty.")))
        #expect(view.lookup(try key(1), crm, now: start)?.isMissing == true)
        #expect(view.lookup(try key(2), crm, now: start)?.invalidity == "token is empty.")
        #expect(metrics.value(.cacheNegativeHits) == 2)
    }

    @Test func `a change is seen at the next look, and leaves the others`() throws {
        var view = view()
        _ = view.insert(try cached(1))
        _ = view.insert(try cached(2))
        log.record(try key(1))
        #expect(view.lookup(try key(1), crm, now: start) == nil)
        #expect(view.lookup(try key(2), crm, now: start) != nil)
        #expect(metrics.value(.cachedCredentials) == 1)
    }

    @Test(arguments: [3, 4, 5, 50]) func `one too far behind forgets everything`(changes: Int) throws {
        var view = view()
        _ = view.insert(try cached(1))
        _ = view.insert(try cached(2))
        log.record(try key(1))
        for _ in 1..<changes { log.record(try key(7)) }
        #expect(view.lookup(try key(1), crm, now: start) == nil)
        #expect((view.lookup(try key(2), crm, now: start) == nil) == (changes > 4))
    }

    @Test func `what changed between the broker's answer and now is not kept`() throws {
        var view = view()
        let old = try cached(1)
        log.record(try key(1))
        #expect(view.lookup(try key(3), crm, now: start) == nil, "the view has caught up")
        #expect(view.insert(old).lines == "X-token: t1\r\n", "but who asked gets his answer")
        #expect(view.count == 0)
        let other = try cached(2)
        log.record(try key(1))
        _ = view.insert(other)
        #expect(view.count == 1, "another's change does not matter")
        let late = try cached(3)
        for _ in 0..<5 { log.record(try key(1)) }
        _ = view.insert(late)
        #expect(view.lookup(try key(3), crm, now: start) == nil, "too far behind to know")
    }

    @Test func `after a reload the broker is asked again`() throws {
        var view = view()
        _ = view.insert(try cached(1))
        let reloaded = try instance(of: try server())
        #expect(view.lookup(try key(1), reloaded, now: start) == nil)
    }

    @Test func `what is past its time goes though nobody asks`() throws {
        var view = view()
        for n in 0..<10 { _ = view.insert(try cached(n, until: start.advanced(by: .seconds(n)))) }
        view.sweep(now: start.advanced(by: .seconds(4)))
        #expect(view.count == 5)
        #expect(metrics.value(.cachedCredentials) == 5)
        view.sweep(now: start.advanced(by: .seconds(9)))
        #expect(view.count == 0)
    }

    @Test func `a released secret's memory is freed with its entry`() throws {
        var view = view()
        weak var rendered: RenderedCredential?
        do {
            let cached = try cached(1, until: start)
            if case .hit(let hit) = view.insert(cached) { rendered = hit }
        }
        #expect(rendered != nil)
        view.sweep(now: start)
        #expect(rendered == nil)
    }

    @Test func `it holds no more than its capacity, and strangers do not push out the active`() throws {
        var view = view(capacity: 20)
        for n in 0..<10 {
            _ = view.insert(try cached(n))
            _ = view.lookup(try key(n), crm, now: start)
        }
        for n in 100..<200 { _ = view.insert(try cached(n)) }
        #expect(view.count == 20)
        for n in 0..<10 { #expect(view.lookup(try key(n), crm, now: start) != nil) }
        #expect(metrics.value(.cacheEvicted) == 90)
    }

    @Test func `those who have no credential push out nobody who has one`() throws {
        var view = view(capacity: 20)
        for n in 0..<20 { _ = view.insert(try cached(n)) }
        for n in 100..<200 { _ = view.insert(try cached(n, .missing)) }
        #expect(view.count == 22, "a tenth of the capacity is known to be missing beside it")
        for n in 0..<20 { #expect(view.lookup(try key(n), crm, now: start) != nil) }
    }

    @Test func `the first use and the first near its end are told to the broker, each once`() throws {
        var view = view()
        let near = start.advanced(by: .seconds(270))
        _ = view.insert(try cached(1, refreshFrom: near))
        _ = view.insert(try cached(2, refreshFrom: near))
        view.sweep(now: start)
        #expect(uses.take().isEmpty, "nobody used them")
        for _ in 0..<3 { _ = view.lookup(try key(1), crm, now: start) }
        #expect(uses.take().isEmpty, "it is told with the sweep")
        view.sweep(now: start)
        #expect(uses.take() == [try key(1)])
        _ = view.lookup(try key(1), crm, now: MonotonicTime(nanoseconds: near.nanoseconds - 1))
        view.sweep(now: near)
        #expect(uses.take().isEmpty)
        for _ in 0..<3 { _ = view.lookup(try key(1), crm, now: near) }
        _ = view.lookup(try key(2), crm, now: near)
        view.sweep(now: near)
        #expect(uses.take() == [try key(1), try key(2)])
        _ = view.lookup(try key(2), crm, now: near)
        view.sweep(now: near)
        #expect(uses.take().isEmpty, "a first use near its end counted as both")
        #expect(metrics.value(.cacheHits) == 9)
    }

    @Test func `what is served past its time counts as that, and is not told`() throws {
        var view = view()
        _ = view.insert(try cached(1, isStale: true))
        #expect(view.lookup(try key(1), crm, now: start)?.lines == "X-token: t1\r\n")
        view.sweep(now: start)
        #expect(metrics.value(.cacheStale) == 1)
        #expect(metrics.value(.cacheHits) == 0)
        #expect(uses.take().isEmpty)
    }

    @Test func `a log of uses that nobody reads does not grow without bound`() throws {
        let uses = UseLog(capacity: 3)
        for n in 0..<5 { uses.record([try key(n), try key(n + 10)]) }
        #expect(uses.take() == [try key(0), try key(10), try key(1)])
        #expect(uses.take().isEmpty)
    }

    @Test func `views of many workers see a deposit made while they work`() async throws {
        let stage = try Stage()
        let (crm, ann) = (crm, try user("ann@acme.com"))
        let key = CacheKey(crm, user: ann)
        try await stage.broker.deposit(try fields("0"), at: crm, user: ann)
        // The last acknowledged deposit: what a request begun afterwards must see, or newer.
        let acknowledged = SharedNumber()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 0..<2 {
                group.addTask {
                    var view = stage.view(worker: worker)
                    while true {
                        await Task.yield()
                        let least = acknowledged.value
                        if least == 200 { return }
                        var answer = view.lookup(key, crm, now: stage.clock.now)
                        if answer == nil { answer = view.insert(try await stage.ask(crm, ann)) }
                        let seen = try #require(answer?.lines?.dropFirst("X-token: ".count).dropLast())
                        #expect(try #require(Int(seen)) >= least)
                    }
                }
            }
            group.addTask {
                for n in 1...200 {
                    try await stage.broker.deposit(try fields("\(n)"), at: crm, user: ann)
                    acknowledged.set(n)
                    await Task.yield()
                }
            }
            try await group.waitForAll()
        }
    }
}
