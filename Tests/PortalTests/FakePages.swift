// What the pages ask of the house, answered from what the fake desk was given.

import Credentials
import Gateway
import Synchronization

@testable import Portal

struct FakePages: ConnectionDesk, ValueTrial {
    let desk: FakeDesk

    func connections(at instances: [ServerInstance], user: UserEmail) async throws(DepositFault) -> [ServerName: FoundConnection] {
        let given = desk.given.withLock { $0 }
        return Dictionary(
            uniqueKeysWithValues: instances.map { instance in
                let isThere = given.contains { $0.server == instance.name.text && ($0.user == user.text || instance.level == .project) }
                return (instance.name, isThere ? .connected(since: 1_790_000_000) : .missing)
            })
    }

    func outcome(of values: [FieldName: Secret], at server: Server) async -> TrialOutcome { .accepted }
}
