// Handshakes have so many places, and a slow one loses its own only to somebody who came.

import EventLoop
import Kernel
import Testing

@testable import Proxy

@Suite struct HandshakeGateTests {
    private let start = MonotonicTime(nanoseconds: 1_000_000_000)
    private var late: MonotonicTime { start.advanced(by: HandshakeGate.patience) }

    private func full(_ loop: EventLoop) -> (HandshakeGate, [HandshakeGate.Pass]) {
        let gate = HandshakeGate(on: loop)
        let passes = (0..<HandshakeGate.most).map { _ in gate.enter(Waiter(on: loop), now: start) }
        return (gate, passes)
    }

    private func revoked(_ passes: [HandshakeGate.Pass]) -> Int { passes.count { $0.isRevoked } }

    @Test func `to ask whether there is room costs nobody his place`() throws {
        let (gate, passes) = full(try EventLoop(name: "gate"))
        #expect(!gate.hasRoom(now: start))
        for _ in 0..<3 { #expect(gate.hasRoom(now: late)) }
        #expect(revoked(passes) == 0)
    }

    @Test func `whoever comes takes the place of the one that has been at it longest`() throws {
        let loop = try EventLoop(name: "gate")
        let (gate, passes) = full(loop)
        _ = gate.enter(Waiter(on: loop), now: late)
        #expect(revoked(passes) == 1 && passes[0].isRevoked)
        gate.leave(passes[0])
        gate.leave(passes[1])
        // Now there is one place that is free.
        _ = gate.enter(Waiter(on: loop), now: late)
        #expect(!passes[2].isRevoked)
        _ = gate.enter(Waiter(on: loop), now: late)
        #expect(passes[2].isRevoked)
    }

    @Test func `one that has just begun keeps its place`() throws {
        let loop = try EventLoop(name: "gate")
        let (gate, passes) = full(loop)
        _ = gate.enter(Waiter(on: loop), now: start)
        #expect(revoked(passes) == 0)
    }
}
