// A bearer token in memory, and how long it is good for.

package import Gateway
package import Kernel

package struct AccessToken: Sendable {
    /// Tokens are told apart by it: never by their bytes.
    package let number: Int
    package let value: Secret
    /// What came with it for OpenID Connect; nil where nothing did.
    let identity: Secret?
    /// Nil where the provider says nothing sensible: then only a 401 ends it.
    package let expiry: MonotonicTime?
    /// From when on the next one is had, unasked.
    package let refreshFrom: MonotonicTime

    /// - Parameters:
    ///   - obtained: when its request was begun: a life counts from there, so that a slow answer cannot lengthen it.
    ///   - share: from 0 to 1, for jitter.
    ///
    /// It counts as over a tenth of its life before its end, a second at least, five seconds at most. The next one is had a tenth of its life ahead,
    /// 30 s at least, half of the life at most, and up to a tenth of that sooner.
    init(number: Int, value: Secret, identity: Secret? = nil, obtained: MonotonicTime, life: Duration?, share: Double) {
        self.number = number
        self.value = value
        self.identity = identity
        guard let life else {
            expiry = nil
            refreshFrom = .never
            return
        }
        // What is sent in its last moment would arrive after it, many count in whole seconds, and some end the grant of who shows an old token.
        expiry = obtained.advanced(by: life - min(max(life / 10, .seconds(1)), .seconds(5), life / 2))
        let ahead = min(max(life / 10, .seconds(30)), life / 2)
        refreshFrom = obtained.advanced(by: life - ahead - ahead / 10 * share)
    }

    package func isAlive(at now: MonotonicTime) -> Bool {
        expiry.map { now < $0 } ?? true
    }
}
