// One exchange as the log has it.

package import Gateway
package import HTTP1

/// Filled by the worker while the exchange runs, recorded at its end. Nothing in it is a secret: no key, no path behind the server's name, no
/// session id, no header.
package struct AccessRecord {
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
    /// Of the head's arrival, in milliseconds since 1970.
    package var time: Int64
    /// The client's address as text, without port; a connection works it out once.
    package var client: String
    package var method: Method
    package var project: ProjectName?
    package var navigator: NavigatorName?
    /// The name in the project.
    package var server: ServerName?
    package var user: UserEmail?
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

/// The record's fields in the order they are written, each with the sentence that documents it.
package enum AccessField: String, CaseIterable, Sendable {
    case requestID = "request_id"
    case method, project, server, navigator, user, client, status, refusal, why, ending
    case total = "total_ms"
    case upstream = "upstream_ms"
    case credential = "credential_ms"
    case received = "in"
    case sent = "out"
    case connection, replayed

    var name: StaticString {
        switch self {
        case .requestID: "request_id"
        case .method: "method"
        case .project: "project"
        case .server: "server"
        case .navigator: "navigator"
        case .user: "user"
        case .client: "client"
        case .status: "status"
        case .refusal: "refusal"
        case .why: "why"
        case .ending: "ending"
        case .total: "total_ms"
        case .upstream: "upstream_ms"
        case .credential: "credential_ms"
        case .received: "in"
        case .sent: "out"
        case .connection: "connection"
        case .replayed: "replayed"
        }
    }

    package var documentation: String {
        switch self {
        case .requestID: "What the answer's x-request-id says."
        case .method: "The request's method; OTHER for one that HTTP does not define."
        case .project: "The project the key belongs to; absent before a key was accepted."
        case .server: "The server's name in the project; absent before one was found."
        case .navigator: "The navigator the key belongs to."
        case .user: "The user, as log.user says: the address, its keyed hash, or nothing."
        case .client: "The client's address; behind a trusted proxy, the one that proxy names."
        case .status: "The answer's status; 0 where the client left before one was begun."
        case .refusal: "The code of the gateway's own no; absent where the upstream answered."
        case .why: "Which of the refusal's cases it was."
        case .ending: "client_left, upstream_broke or cut; absent where the exchange ran to its end."
        case .total: "From the request's head to the end, in milliseconds."
        case .upstream: "From the first byte sent upstream to the head of its answer, in milliseconds."
        case .credential: "Time spent waiting for a credential, in milliseconds; absent where it was at hand."
        case .received: "Bytes from the client, heads included."
        case .sent: "Bytes to the client, heads included."
        case .connection: "reused or new: where the upstream connection came from."
        case .replayed: "yes: the server rejected the cached credential, and the request was sent again with the store's; absent otherwise."
        }
    }
}
