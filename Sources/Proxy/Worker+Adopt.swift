// How a worker comes to another snapshot: between two turns, and without a lock on the way of any request.

internal import Credentials
internal import EventLoop
internal import Gateway
internal import Kernel

extension Worker {
    /// From the return on, every request whose first byte comes is decided by `provisions`, and connections are accepted from `opened` too.
    ///
    /// Exchanges under way keep what they began with. Event streams last for hours: one whose caller would not be let in any more, or whose server
    /// is another by now, is broken off.
    func adopt(_ provisions: Provisions, opening opened: [Listener]) {
        take(provisions)
        buffers.grow(to: provisions.blockSize)
        memo.forget()
        view.value.resize(to: provisions.snapshot.cache.capacity)
        pools.keep(only: provisions.owners(with: services.portal))
        for listener in opened where !isDraining { open(listener) }
        hush()
        for client in connections.values {
            // Nothing of its next request has come: that one is the new snapshot's.
            if client.isIdle {
                client.exchange.provisions = provisions
                client.pool = nil
            } else if client.exchange.isStream, !isStillAdmitted(client.exchange) {
                client.isRevoked = true
                client.waiter.interrupt()
            }
        }
    }

    /// Whether the caller of an exchange that was admitted under an earlier snapshot would be let in now, to the same server.
    func isStillAdmitted(_ exchange: borrowing Exchange) -> Bool {
        guard let key = exchange.route.key, let user = exchange.route.user, let instance = exchange.route.instance else { return true }
        return provisions.snapshot.stillAdmits(key, for: user, to: instance)
    }

    static let revocation = "a reload took the key, the user or the server away"
}
