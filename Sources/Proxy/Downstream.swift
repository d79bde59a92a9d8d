// A connection that an agent, a person or an administrator made.

internal import EventLoop
internal import HTTP1
internal import Kernel

final class Downstream {
    let channel: Channel
    /// Everything its task waits for, it waits for with this.
    let waiter: Waiter
    let entrance: Entrance
    let peer: SocketAddress
    /// Of the process at the other end of `admin.sock`.
    let uid: UInt32?
    let place: ConnectionLimits.Place
    /// One connection over the limit: it is told so and closed.
    var isTurnedAway: Bool { place == .full }
    var door: Door { entrance.door }
    private let ownHead = Own(RequestHead())
    var head: RequestHead {
        @inline(always) _read { yield ownHead.value }
        @inline(always) _modify { yield &ownHead.value }
    }
    private let ownExchange: Own<Exchange>
    /// The one under way; between two, the next.
    var exchange: Exchange {
        @inline(always) _read { yield ownExchange.value }
        @inline(always) _modify { yield &ownExchange.value }
    }
    private let ownUpload = Own(BodyPump())
    private let ownDownload = Own(BodyPump())
    /// The request's body on its way: what is left of it, where the server answered before it had all.
    var upload: BodyPump {
        @inline(always) _read { yield ownUpload.value }
        @inline(always) _modify { yield &ownUpload.value }
    }
    /// The answer's.
    var download: BodyPump {
        @inline(always) _read { yield ownDownload.value }
        @inline(always) _modify { yield &ownDownload.value }
    }
    /// What is asked of `head` more than once.
    var facts = RequestFacts()
    var scan = HeadScan()
    var exchanges = 0
    /// The peer's address as text.
    let address: String
    /// Of the server it asked for last.
    var pool: UpstreamPool?
    /// Whether `head` is the present request's, and its bytes and those of its body stand at the inbox's front.
    var hasHead = false
    /// Whether it came in when its worker drained already.
    var isLate = false
    /// Whether it waits for a request of which nothing has come yet.
    var isIdle = false
    /// Whether a reload took away what the stream under way was admitted by.
    var isRevoked = false

    init(
        _ channel: Channel, waiter: Waiter, entrance: Entrance, peer: SocketAddress, uid: UInt32?, place: ConnectionLimits.Place, first exchange: consuming Exchange
    ) {
        self.channel = channel
        self.waiter = waiter
        self.entrance = entrance
        self.peer = peer
        address = peer.host
        self.uid = uid
        self.place = place
        ownExchange = Own(exchange)
    }
}

/// The parts of a request's head that an exchange looks at again and again, copied out of it once.
struct RequestFacts {
    var method = Method.other
    var minorVersion = 1
    var length = 0
    var body = BodyLength.none
    var keepAlive = false
    var expectsContinue = false

    init() {}

    init(_ head: borrowing RequestHead) {
        method = head.method
        minorVersion = head.minorVersion
        length = head.length
        body = head.body
        keepAlive = head.keepAlive
        expectsContinue = head.expectsContinue
    }
}
