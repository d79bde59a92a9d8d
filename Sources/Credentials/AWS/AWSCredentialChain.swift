// AWS credentials that are good now: from the first source that is configured, renewed ahead of their end by one asking for all.

package import EventLoop
package import Kernel
package import Outbound

/// Runs on a loop of its own or the secret store's, never on a worker: it reads small files.
///
/// The source is chosen at the first use and kept, so that one that fails for a while never makes another one's identity stand in for it. It is
/// chosen anew after AWS rejected its credentials, or after it said that it is configured wrongly.
package actor AWSCredentialChain: AWSCredentialProvider {
    private nonisolated let loop: EventLoop
    private let around: AWSSurroundings
    private let region: String?
    private let clock: @Sendable () -> MonotonicTime
    private let random: @Sendable () -> UInt64

    private var source: (any AWSSource)?
    private var held: Held?
    private var asking: Task<Result<AWSCredentials, AWSCredentialFault>, Never>?
    /// Of askings that failed since the last that did not.
    private var failures = 0
    private var failure: AWSCredentialFault?
    private var nextAsking = MonotonicTime(nanoseconds: 0)

    /// What is in use.
    private struct Held {
        let grant: AWSGrant
        let asked: MonotonicTime
        let renewal: MonotonicTime
        let end: MonotonicTime
        var isRejected = false
    }

    /// How long before their end credentials are renewed; in the middle of their life where that is later.
    private static let ahead: Int64 = 300
    /// AWS said that credentials are not good: those that came less than this ago are what the source has.
    private static let fresh = Duration.seconds(10)
    private static let longestPause: Int64 = 16

    /// - Parameters:
    ///   - region: where roles are taken on; nil = as the environment and the profile say.
    ///   - loop: no worker's.
    ///   - clock: monotonic time, which lives are reckoned in once they are known.
    ///   - random: evenly spread words, for jitter.
    package init(
        _ around: AWSSurroundings, region: String? = nil, on loop: EventLoop, clock: @escaping @Sendable () -> MonotonicTime,
        random: @escaping @Sendable () -> UInt64
    ) {
        self.around = around
        self.region = region
        self.loop = loop
        self.clock = clock
        self.random = random
    }

    /// This machine's: its files, programs and clocks.
    ///
    /// - Parameters:
    ///   - environment: the process's.
    ///   - client: never asked from a worker.
    ///   - warn: told of what an operator should mend although it works.
    package static func standard(
        environment: [String: String], client: any HTTPClient, region: String? = nil, on loop: EventLoop, warn: @escaping @Sendable (String) -> Void
    ) -> AWSCredentialChain {
        AWSCredentialChain(
            AWSSurroundings(environment: environment, client: client, warn: warn), region: region, on: loop, clock: { .now() },
            random: {
                var random = SecureRandom()
                return random.next()
            })
    }

    package nonisolated var unownedExecutor: UnownedSerialExecutor { loop.serial }

    package func credentials() async throws(AWSCredentialFault) -> AWSCredentials {
        let now = clock()
        if let held, !held.isRejected, now < held.end {
            if now >= held.renewal, now >= nextAsking { _ = ask() }
            return held.grant.credentials
        }
        if let failure, now < nextAsking, asking == nil { throw failure }
        return try await ask().value.get()
    }

    package func rejected(_ credentials: AWSCredentials) {
        // Identity, not equality: the source may have given the same ones once more.
        guard let held, held.grant.credentials.secretKey === credentials.secretKey, clock().duration(since: held.asked) >= AWSCredentialChain.fresh
        else { return }
        self.held?.isRejected = true
        source = nil
    }

    package func status() -> AWSCredentialStatus? {
        held.map { AWSCredentialStatus(source: $0.grant.source, expires: $0.grant.credentials.expires) }
    }

    /// Ends an asking that is under way. For the end of the process.
    package func close() {
        asking?.cancel()
    }

    /// The one asking that is under way, or a new one.
    private func ask() -> Task<Result<AWSCredentials, AWSCredentialFault>, Never> {
        if let asking { return asking }
        let task = Task { await answer() }
        asking = task
        return task
    }

    private func answer() async -> Result<AWSCredentials, AWSCredentialFault> {
        defer { asking = nil }
        do throws(AWSCredentialFault) {
            let grant = try await chosen().grant()
            try hold(grant)
            return .success(grant.credentials)
        } catch {
            return .failure(failed(error))
        }
    }

    private func chosen() throws(AWSCredentialFault) -> any AWSSource {
        if let source { return source }
        let source = try AWSSourceOrder(around, region: region).choose()
        self.source = source
        return source
    }

    private func hold(_ grant: AWSGrant) throws(AWSCredentialFault) {
        guard grant.credentials.areWellFormed else { throw AWSCredentialFault(isPassing: false, "\(grant.source): what it gives are no credentials of AWS's") }
        let now = clock()
        guard let expires = grant.credentials.expires else {
            succeeded(Held(grant: grant, asked: now, renewal: .never, end: .never))
            return
        }
        let (life, isAbsurd) = expires.subtractingReportingOverflow(around.wallClock())
        guard life > 0, !isAbsurd else {
            throw AWSCredentialFault(
                isPassing: true, "\(grant.source): the credentials it gives have expired already: it does not renew them, or this machine's clock is wrong")
        }
        let ahead = min(AWSCredentialChain.ahead, life / 2)
        // Up to a fifth earlier, so that a fleet that started together does not ask together.
        let jitter = Int64(random() % UInt64(ahead / 5 + 1))
        // Not to the last second: a request signed now is looked at later, by another clock.
        let margin = min(10, max(1, life / 10))
        succeeded(
            Held(
                grant: grant, asked: now, renewal: now.advanced(by: .seconds(life - ahead - jitter)), end: now.advanced(by: .seconds(life - margin))))
    }

    private func succeeded(_ held: Held) {
        self.held = held
        failures = 0
        failure = nil
        // A source may give what it gave before until it has something newer.
        nextAsking = held.asked.advanced(by: .seconds(1))
    }

    /// Puts the next asking off, by a second at first; half of it is chance. What is held is used while it lives.
    private func failed(_ fault: AWSCredentialFault) -> AWSCredentialFault {
        let pause = min(1 << Int64(min(failures, 10)), AWSCredentialChain.longestPause) * 1000
        failures += 1
        nextAsking = clock().advanced(by: .milliseconds(pause / 2 + Int64(random() % UInt64(pause / 2 + 1))))
        var fault = fault
        if held == nil, let last = source as? AWSLastSource { fault = .nothing(last.looked, fault.description, isPassing: fault.isPassing) }
        if !fault.isPassing { source = nil }
        failure = fault
        if let held, !held.isRejected, clock() < held.end {
            around.warn("AWS credentials not renewed, the present ones (\(held.grant.source)) serve until their end: \(fault)")
        }
        return fault
    }
}
