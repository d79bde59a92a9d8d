// UseTally: what was counted is handed over whole, once, and no further than its bound.

import Gateway
import Kernel
import Telemetry
import Testing

@Suite struct UseTallyTests {
    private let acme: ProjectName

    init() throws { acme = try #require(ProjectName("acme")) }

    private func instance(_ name: String) throws -> ServerInstance {
        let name = try #require(ServerName(name))
        let second = Duration.seconds(1)
        let server = Server(
            name: name, title: nil, origin: Origin(scheme: .https, host: "up.example.com", port: 443), path: Template(parts: [.literal("/mcp")]), query: nil,
            transport: .http, injector: .none, fields: [], tls: UpstreamTLS(),
            timeouts: UpstreamTimeouts(connect: second, response: second, body: second, streamIdle: second))
        return ServerInstance(project: acme, name: name, server: server, level: .user, status: .active)
    }

    private func user(_ number: Int) throws -> UserEmail { try #require(UserEmail("user\(number)@acme.com")) }

    /// What is handed over, by user and server.
    private func handedOver(_ tally: inout UseTally) -> [String: UseCount] {
        let log = UseCounts()
        tally.handOver(to: log) { Int64($0.nanoseconds) }
        return Dictionary(uniqueKeysWithValues: log.take().map { ("\($0.user.text) \($0.server)", $0) })
    }

    @Test func `each pair of user and server has its count and its last time`() throws {
        var tally = UseTally()
        let (crm, wiki, ann, bob) = (try instance("crm"), try instance("wiki"), try user(1), try user(2))
        for (user, instance, time) in [(ann, crm, 1), (bob, crm, 2), (ann, crm, 3), (ann, wiki, 4), (ann, crm, 5)] {
            tally.count(user, at: instance, now: MonotonicTime(nanoseconds: UInt64(time)))
        }
        let counts = handedOver(&tally)
        #expect(counts.mapValues(\.calls) == ["user1@acme.com crm": 3, "user2@acme.com crm": 1, "user1@acme.com wiki": 1])
        #expect(counts["user1@acme.com crm"]?.last == 5 && counts["user1@acme.com crm"]?.project == acme)
        #expect(handedOver(&tally).isEmpty)
    }

    @Test func `thousands are counted apart, again after they were handed over`() throws {
        var tally = UseTally()
        let crm = try instance("crm")
        let users = try (0..<5000).map { try user($0) }
        for round in 1...2 {
            for (number, user) in users.enumerated() {
                for _ in 0...number % 3 { tally.count(user, at: crm, now: MonotonicTime(nanoseconds: UInt64(round))) }
            }
            let counts = handedOver(&tally)
            #expect(counts.count == 5000)
            #expect(users.enumerated().allSatisfy { counts["\($1.text) crm"]?.calls == $0 % 3 + 1 })
        }
    }

    @Test func `beyond the bound nobody new is counted, and who is known still is`() throws {
        var tally = UseTally(most: 10)
        let crm = try instance("crm")
        for number in 0..<20 { tally.count(try user(number), at: crm, now: MonotonicTime(nanoseconds: 1)) }
        tally.count(try user(3), at: crm, now: MonotonicTime(nanoseconds: 2))
        let counts = handedOver(&tally)
        #expect(counts.count == 10 && counts["user3@acme.com crm"]?.calls == 2)
    }

    @Test func `what nobody takes is kept up to a bound`() throws {
        let log = UseCounts(most: 3)
        let count = UseCount(project: acme, server: try #require(ServerName("crm")), user: try user(1), calls: 1, last: 1)
        log.add([count, count])
        log.add([count, count])
        #expect(log.take().count == 3 && log.take().isEmpty)
    }
}
