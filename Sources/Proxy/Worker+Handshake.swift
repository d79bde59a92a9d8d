// TLS with an agent: the handshake before its first request, bounded in time and number, and what is said of one that fails.

internal import EventLoop
internal import Gateway
internal import Kernel
internal import Metrics
internal import TLS

extension Worker {
    /// Brings the handshake of a connection that was just accepted to its end.
    /// - Returns: false where there is none; the connection is to be closed then.
    @inline(never)
    func handshake(_ client: Downstream) async -> Bool {
        let pass = handshakes.enter(client.waiter, now: loop.now)
        defer { handshakes.leave(pass) }
        let deadline = loop.now.advanced(by: provisions.spans.head)
        while true {
            guard await handshakes.turn(pass, until: deadline) else { break }
            if isCutting {
                handshakes.stepped()
                break
            }
            let needs: Readiness?
            do throws(TLSFault) {
                defer { handshakes.stepped() }
                needs = try client.channel.handshake()
            } catch {
                await refuse(client, error)
                return false
            }
            guard let needs else {
                shard.add(client.channel.isResumed ? .handshakesResumed : .handshakesFull)
                return true
            }
            let wake = await wait(client.waiter, for: client.channel.slot, needs, until: deadline)
            if pass.isRevoked || isCutting || wake == .deadline || loop.now >= deadline { break }
        }
        if pass.isRevoked {
            failed(client, .handshakesCrowdedOut, "it took its time, and others waited")
        } else if !isCutting {
            failed(client, .handshakesLate, "it was not done within timeouts.head")
        }
        return false
    }

    /// OpenSSL has sent the alert that says why; the close waits until the client has had the time to read it.
    private func refuse(_ client: Downstream, _ fault: TLSFault) async {
        failed(client, Counter(fault.cause), fault.words)
        switch fault.cause {
        case .plainHTTP:
            client.channel.endEncryption()
            await conclude(client, .refused(Refusal(.badRequest, fault.words)))
            record(client)
            await linger(client)
        case .cut, .socket: break
        default: await linger(client)
        }
    }

    private func failed(_ client: Downstream, _ counter: Counter, _ why: String) {
        shard.add(counter)
        // Who connects and goes says nothing, as load balancers do every few seconds.
        guard counter != .handshakesLeft else { return }
        services.report(.info, "TLS with an agent failed: \(why) (\(client.address))")
    }
}

extension Counter {
    init(_ cause: TLSFault.Cause) {
        switch cause {
        case .wrongName, .expired, .notYetValid, .unknownAuthority, .certificate: self = .handshakesCertificate
        case .noCommonGround: self = .handshakesNoCommonGround
        case .notTLS, .plainHTTP: self = .handshakesNotTLS
        case .cut, .socket: self = .handshakesLeft
        case .alert, .protocolBroken, .library, .authorities, .ownCertificate, .ownKey, .serverName: self = .handshakesBroken
        }
    }
}
