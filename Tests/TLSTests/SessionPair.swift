// Both ends of ours, joined by a socketpair.

internal import CLinux
internal import Kernel
internal import TLS
import Testing

final class SessionPair {
    let client: TLSSession
    let server: TLSSession
    private let clientEnd: Descriptor
    private let serverEnd: Descriptor

    init(_ clientContext: ClientContext, _ serverContext: ServerContext, serverName: String = "crm.example.com") throws {
        var ends: [Int32] = [0, 0]
        try unsafe #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0, &ends) == 0)
        clientEnd = Descriptor(owning: ends[0])
        serverEnd = Descriptor(owning: ends[1])
        client = try TLSSession(clientContext, descriptor: ends[0], serverName: serverName)
        server = try TLSSession(serverContext, descriptor: ends[1])
    }

    /// Lets both go on until both are done: nil then, else what the first of them to fail says.
    func handshake() -> TLSFault? {
        for _ in 0..<100 {
            for session in [client, server] {
                session.isSocketReadable = true
                session.isSocketWritable = true
            }
            let steps = [server.handshake(), client.handshake()]
            for step in steps {
                if case .failed(let fault) = step { return fault }
            }
            if steps == [.done, .done] { return nil }
        }
        Issue.record("the handshake does not end")
        return nil
    }
}
