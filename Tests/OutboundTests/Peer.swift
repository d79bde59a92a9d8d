// The other end: an HTTP server on loopback that answers by script, on a loop of its own.

import EventLoop
import Foundation
import Kernel
import Testing

/// Reads requests, and answers each as its path's last step says; counts what came.
actor Peer {
    nonisolated let loop: EventLoop
    nonisolated var unownedExecutor: UnownedSerialExecutor { loop.serial }
    nonisolated let origin: String
    private let listener: Descriptor
    private(set) var connections = 0
    private(set) var requests: [String] = []
    /// Connections whose other side has gone while they were kept waiting.
    private(set) var deserted = 0

    init() throws {
        loop = try .started(name: "peer")
        let address = try #require(SocketAddress(numeric: "127.0.0.1", port: 0))
        listener = try Socket.listen(on: address, shared: false)
        origin = "http://\(try #require(Socket.localAddress(listener.number)))"
    }

    nonisolated func start() {
        Task(executorPreference: loop) { try await self.accept() }
    }

    /// What came so far.
    func waitForRequests(_ count: Int) async -> [String] {
        let waiter = Waiter(on: loop)
        while requests.count < count { _ = await waiter.yield() }
        return requests
    }

    func waitForDesertion() async {
        let waiter = Waiter(on: loop)
        while deserted == 0 { _ = await waiter.yield() }
    }

    private func accept() async throws {
        let slot = try loop.register(listener.number)
        let waiter = Waiter(on: loop)
        while true {
            while let accepted = try Socket.accept(listener) {
                connections += 1
                let connection = Connection(accepted.take())
                Task(executorPreference: loop) { try await self.serve(connection) }
            }
            slot.drained()
            _ = await waiter.wait(for: slot, .readable, until: .never)
        }
    }

    private func serve(_ connection: Connection) async throws {
        let slot = try loop.register(connection.descriptor.number)
        defer { loop.release(slot) }
        let waiter = Waiter(on: loop)
        slot.presumeReadable()
        while let request = await connection.nextRequest(slot, waiter) {
            requests.append(request)
            let path = request.split(separator: " ").dropFirst().first ?? ""
            switch path.split(separator: "/").last ?? "" {
            case "echo": await connection.send(Peer.answer(request), slot, waiter)
            case "silent":
                _ = await waiter.wait(for: slot, .closed, until: .never)
                deserted += 1
                return
            case "half":
                await connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", slot, waiter)
                return
            case "reset":
                Socket.resetOnClose(connection.descriptor.number)
                return
            case "noise":
                await connection.send("this is no HTTP\r\n\r\n", slot, waiter)
                return
            case "large": await connection.send(Peer.answer(String(repeating: "x", count: 300 << 10)), slot, waiter)
            case "moved":
                await connection.send("HTTP/1.1 307 Temporary Redirect\r\nLocation: /echo\r\nContent-Length: 0\r\n\r\n", slot, waiter)
            case "busy":
                await connection.send("HTTP/1.1 503 Service Unavailable\r\nRetry-After: 7\r\nX-Two: a\r\nx-two: b\r\nContent-Length: 0\r\n\r\n", slot, waiter)
            case "bytewise":
                for byte in Peer.answer("slowly").utf8 {
                    await connection.send(String(decoding: [byte], as: UTF8.self), slot, waiter)
                    _ = await waiter.yield()
                }
            case "once":
                await connection.send(Peer.answer("once"), slot, waiter)
                return
            default: await connection.send("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", slot, waiter)
            }
        }
    }

    private static func answer(_ body: String) -> String {
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }
}

/// One accepted connection and what was read of it. On the peer's loop alone.
private final class Connection: @unchecked Sendable {
    let descriptor: Descriptor
    private var received: [UInt8] = []

    init(_ descriptor: consuming Descriptor) {
        self.descriptor = descriptor
    }

    /// Head and body of the next request, as text; nil at the end.
    func nextRequest(_ slot: Slot, _ waiter: Waiter) async -> String? {
        while true {
            if let request = takeRequest() { return request }
            var storage = [UInt8](repeating: 0, count: 16 << 10)
            switch receive(into: &storage) {
            case .bytes(let count): received += storage.prefix(count)
            case .notYet:
                slot.drained()
                _ = await waiter.wait(for: slot, .readable, until: .never)
            case .end, .failed: return nil
            }
        }
    }

    func send(_ text: String, _ slot: Slot, _ waiter: Waiter) async {
        var rest = Array(text.utf8)
        while !rest.isEmpty {
            switch Socket.send(descriptor, rest.span.raw) {
            case .bytes(let count): rest.removeFirst(count)
            case .notYet:
                slot.filled()
                _ = await waiter.wait(for: slot, .writable, until: .never)
            case .failed: return
            }
        }
    }

    private func receive(into storage: inout [UInt8]) -> ReadOutcome {
        var span = storage.mutableSpan
        var raw = unsafe span.mutableBytes
        return Socket.receive(descriptor, into: &raw)
    }

    private func takeRequest() -> String? {
        // A TLS record's first byte.
        if received.first == 0x16 {
            received = []
            return "TLS /noise"
        }
        let text = String(decoding: received, as: UTF8.self)
        guard let end = text.range(of: "\r\n\r\n") else { return nil }
        let length = text[..<end.lowerBound].split(separator: "\r\n")
            .first { $0.lowercased().hasPrefix("content-length:") }.flatMap { Int($0.split(separator: " ").last ?? "") } ?? 0
        let count = text[..<end.upperBound].utf8.count + length
        guard received.count >= count else { return nil }
        defer { received.removeFirst(count) }
        return String(decoding: received.prefix(count), as: UTF8.self)
    }
}
