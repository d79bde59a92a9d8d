// Who asks, and with which credential: keys, admission, the worker's view of the cache.

internal import Credentials
internal import Gateway
internal import HTTP1
internal import Kernel
internal import Metrics
internal import Telemetry

extension Case {
    static func identityCases(_ fixtures: Fixtures) -> [Case] {
        [
            Case("key check, cold") { try checkingKey(fixtures, nil) },
            Case("key check, warm") { try checkingKey(fixtures, IdentityMemo()) },
            Case("admission, cold") { try admitting(fixtures, nil) },
            Case("admission, warm") { try admitting(fixtures, IdentityMemo()) },
            Case("cache hit") {
                let view = fixtures.view()
                let instance = fixtures.header
                return { iterations in
                    var sum = 0
                    // A step that is odd, so that all users have their turn and none twice in a row.
                    var place = 0
                    for _ in 0..<iterations {
                        place = (place &+ 101) & 255
                        let key = CacheKey(instance, user: fixtures.users[place])
                        if case .hit = view.value.lookup(key, instance, now: fixtures.now) { sum &+= 1 }
                    }
                    return sum
                }
            },
            Case("use counted") {
                let tally = Own(UseTally())
                let instance = fixtures.header
                for user in fixtures.users { tally.value.count(user, at: instance, now: fixtures.now) }
                return { iterations in
                    var place = 0
                    for _ in 0..<iterations {
                        place = (place &+ 101) & 255
                        tally.value.count(fixtures.users[place], at: instance, now: fixtures.now)
                    }
                    return iterations
                }
            },
        ]
    }

    private static func checkingKey(_ fixtures: Fixtures, _ memo: sending IdentityMemo?) throws -> Run {
        let text = ByteBuffer(Array(Text.key.utf8))
        return { iterations in
            var sum = 0
            for _ in 0..<iterations {
                let entry = try APIKey.entry(for: text.bytes, in: fixtures.snapshot, wallClock: Fixtures.wallClock, recalling: memo)
                if entry.expires == nil { sum &+= 1 }
            }
            return sum
        }
    }

    private static func admitting(_ fixtures: Fixtures, _ memo: sending IdentityMemo?) throws -> Run {
        let request = try ReadRequest()
        let bytes = request.bytes
        return { iterations in
            var sum = 0
            for _ in 0..<iterations {
                var detail = RouteDetail()
                let destination = try fixtures.snapshot.admit(
                    request.head.value, bytes.bytes, wallClock: Fixtures.wallClock, recalling: memo, noting: &detail)
                if case .relay(let admission) = destination, admission.instance === fixtures.header { sum &+= 1 }
            }
            return sum
        }
    }
}

extension Fixtures {
    /// A worker's view that knows everybody's credential.
    func view() -> Own<CredentialView> {
        let metrics = Metrics(workers: 1, refusals: [], version: "bench")
        var view = CredentialView(of: InvalidationLog(), UseLog(capacity: 1024), capacity: 1024, metrics: metrics.shard(0))
        for one in cached { _ = view.insert(one) }
        return Own(view)
    }
}
