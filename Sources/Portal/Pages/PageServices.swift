// What the pages need of the rest of the house; `claviger` joins them.

package import Credentials
package import Gateway

package struct PageServices: Sendable {
    let connections: any ConnectionDesk
    let trial: any ValueTrial
    private let codesNow: @Sendable () -> CodeDelivery
    let provider: any SignInProvider
    let desk: SignInDesk
    let untried = UntriedValues()
    let attempts = TrialAttempts()

    /// - Parameters:
    ///   - codes: looked at anew for each code.
    ///   - random: so many bytes that nobody can guess.
    package init(
        connections: any ConnectionDesk, trial: any ValueTrial, codes: @autoclosure @escaping @Sendable () -> CodeDelivery,
        provider: any SignInProvider, random: @escaping @Sendable (Int) -> [UInt8]
    ) {
        self.connections = connections
        self.trial = trial
        codesNow = codes
        self.provider = provider
        desk = SignInDesk(random: { random(8).reduce(0) { $0 << 8 | UInt64($1) } })
    }

    var codes: CodeDelivery { codesNow() }
}

/// What is stored for somebody at a server, as it was found when it was asked for.
package enum FoundConnection: Hashable, Sendable {
    case missing
    /// Since when, in seconds since 1970; nil where nobody recorded it.
    case connected(since: Int64?)
    /// The server answers 401 to it, since then.
    case refused(since: Int64)
    /// Given for another address of the server: not used any more.
    case moved
    /// The value cannot be used as it is stored.
    case unusable
}

/// Says what is stored. No value leaves it.
package protocol ConnectionDesk: Sendable {
    /// - Parameter user: for the instances of user level.
    func connections(at instances: [ServerInstance], user: UserEmail) async throws(DepositFault) -> [ServerName: FoundConnection]
}

/// How a code reaches the person who asked for it.
package enum CodeDelivery: Sendable {
    case mail(any CodeMailer)
    /// Into the log: there is no mail server, and everything is on this machine.
    case log
    /// Not at all: no mail server, and the portal is not on loopback.
    case nowhere
}

package protocol CodeMailer: Sendable {
    /// Hands the message over for sending, and returns at once: how long sending takes tells nobody whether it was done.
    func post(subject: String, text: String, to recipient: UserEmail)
    /// Whether the mail server did not take the last message.
    var isInTrouble: Bool { get }
}

/// Tries values out before they are kept.
package protocol ValueTrial: Sendable {
    func outcome(of values: [FieldName: Secret], at server: Server) async -> TrialOutcome
}

package enum TrialOutcome: Equatable, Sendable {
    case accepted
    /// The server says that they are no good, with this status.
    case refused(Int)
    /// Nobody can be asked now; why, in words for the log.
    case unreachable(String)
    /// What came is not what an MCP server says.
    case odd(String)
    /// The configuration has it so, or the server cannot be asked in this way.
    case notAsked
}
