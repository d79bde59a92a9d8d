// One exchange as the log has it.

package import Gateway
package import HTTP1

/// Filled by the worker while the exchange runs, recorded at its end. Nothing in it is a secret: no key, no path behind the server's name, no
/// session id, no header.
package struct AccessRecord: Sendable {
    /// How the exchange came to its end.
    package enum Ending: Sendable {
        case complete
        /// The agent closed before it had everything.
        case clientLeft
        /// The upstream's answer broke off.
        case upstreamBroke
        /// Ended by the gateway: a timer, a drain.
        case cut
    }

    package var requestID: RequestID
    /// Set where it was no agent's exchange, but a request to the portal or the administration: the door it came in through, and whether
    /// it is known there who asks.
    package var portal: (door: String, isKnown: Bool)?
    /// Of the head's arrival, in milliseconds since 1970.
    package var time: Int64
    /// The client's address as text, without port; a connection works it out once.
    package var client: String
    package var method: Method
    package var project: ProjectName?
    package var navigator: NavigatorName?
    /// Of the key that came, accepted or not.
    package var key: APIKeyID?
    /// The name in the project.
    package var server: ServerName?
    package var user: UserEmail?
    /// How the user is named: `log.user` of the configuration that the exchange began with.
    package var naming = LogSettings.User.hashed
    /// What the request's headers say it asks for.
    package var operation: Operation?
    /// The trace's id; nil where none is known.
    package var trace: (high: UInt64, low: UInt64)?
    /// Of the answer; 0 where none was begun.
    package var status = 0
    package var refusal: RefusalCode?
    /// The refusal's detail.
    package var why: String?
    package var ending = Ending.complete
    /// From the head's arrival to the end.
    package var nanoseconds: UInt64 = 0
    /// From the first byte sent upstream to the head of the answer; nil where no upstream was asked.
    package var upstreamNanoseconds: UInt64?
    /// Spent waiting for a credential; nil where it was at hand or none is needed.
    package var credentialNanoseconds: UInt64?
    /// Whose credential was sent; nil where none was. Project, server and user say which: a record of an exchange is the record of a use, too.
    package var use: ServerInstance.Level?
    /// Bytes from and to the client, heads included.
    package var received = 0
    package var sent = 0
    /// Whether the upstream connection came from the pool; nil where no upstream was asked.
    package var reusedConnection: Bool?
    /// Whether the server rejected the credential and the request was sent again with a newer one.
    package var isReplayed = false

    package init(requestID: RequestID, time: Int64, client: String, method: Method) {
        self.requestID = requestID
        self.time = time
        self.client = client
        self.method = method
    }
}
