// Sound messages spoilt a little, thousands of them: whatever comes out, the properties hold. Seeded, so that a failure comes back.

internal import Testing

@Suite struct `Mutated messages` {
    @Test(arguments: 0..<8 as Range<UInt64>)
    func `a request head is read as the plain reading reads it`(seed: UInt64) {
        hold(requestSeeds, seed) { Properties.request($0, cuts: $1) }
    }

    @Test(arguments: 0..<8 as Range<UInt64>)
    func `a response head is read as the plain reading reads it`(seed: UInt64) {
        hold(responseSeeds, seed) { Properties.response($0, cuts: $1) }
    }

    @Test(arguments: 0..<8 as Range<UInt64>)
    func `a chunked body is read as the plain reading reads it`(seed: UInt64) {
        hold(bodySeeds, seed) { Properties.chunkedBody($0, cuts: $1) }
    }

    @Test func `the properties hold of every refused message`() {
        for refused in refusedRequests {
            let message = bytes(refused.message)
            let problem = Properties.request(message, cuts: [message.count / 2])
            #expect(problem == nil, "\(refused.testDescription)")
        }
    }

    private func hold(_ seeds: [String], _ seed: UInt64, _ property: ([UInt8], [Int]) -> String?) {
        var generator = Seeded(state: seed)
        for seed in seeds { #expect(property(bytes(seed), [1, 2]) == nil) }
        for _ in 0..<150 {
            var message = bytes(seeds.randomElement(using: &generator) ?? "")
            for _ in 0..<Int.random(in: 1...3, using: &generator) { mutate(&message, seeds, &generator) }
            let cuts = (0..<3).map { _ in Int.random(in: 0...message.count, using: &generator) }
            let problem = property(message, cuts)
            #expect(problem == nil, "\(String(decoding: message, as: UTF8.self).debugDescription) \(cuts)")
        }
    }

    private func mutate(_ message: inout [UInt8], _ seeds: [String], _ generator: inout Seeded) {
        let special: [UInt8] = [0, 9, 10, 13, 32, 35, 44, 45, 47, 48, 58, 59, 63, 64, 91, 93, 95, 127, 128, 255]
        let at = Int.random(in: 0..<max(message.count, 1), using: &generator)
        guard at < message.count else { return }
        switch Int.random(in: 0..<7, using: &generator) {
        case 0: message[at] = special.randomElement(using: &generator) ?? 0
        case 1: message.insert(special.randomElement(using: &generator) ?? 0, at: at)
        case 2: message.remove(at: at)
        case 3: message[at] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        case 4: message[at] = UInt8.random(in: 0...255, using: &generator)
        case 5:
            // A run of it doubled somewhere else.
            let end = min(at + Int.random(in: 1...24, using: &generator), message.count)
            message.insert(contentsOf: message[at..<end], at: Int.random(in: 0...message.count, using: &generator))
        default:
            let other = bytes(seeds.randomElement(using: &generator) ?? "")
            message = Array(message[..<at]) + other.suffix(Int.random(in: 0...other.count, using: &generator))
        }
    }
}

/// SplitMix64.
private struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}

private let requestSeeds: [String] = [
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET /a?b HTTP/1.0\r\nHost: a:80\r\nConnection: keep-alive, x\r\n\r\n",
    "POST /mcp/crm HTTP/1.1\r\nHost: gateway\r\nx-api-key: ck_a.b\r\nX_User_Email: a@b.c\r\nContent-Length: 12\r\nExpect: 100-continue\r\n\r\n",
    "POST http://a.b:1/c?d HTTP/1.1\r\nHost: [::1]:80\r\nTransfer-Encoding: chunked\r\nMcp-Protocol-Version: 2026-07-28\r\n\r\n5\r\n",
    "OPTIONS * HTTP/1.1\r\nHost: a\r\nOrigin: https://a\r\nAccess-Control-Request-Method: POST\r\n\r\n", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", "TRACE / HTTP/1.1\r\nHost: a\r\nX:\t\u{E9} \r\n\r\n",
]

private let responseSeeds: [String] = [
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.0 404 Not Found\r\nConnection: close\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\nKeep-Alive: timeout=5\r\nConnection: keep-alive, x-y\r\n\r\nhello",
    "HTTP/1.1 204\r\nSet-Cookie: a=b\r\n\r\n", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n",
]

private let bodySeeds: [String] = [
    "5\r\nhello\r\n0\r\n\r\n", "a;b=\"c\"\r\n0123456789\r\nF;\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\0\r\n0;x\r\n\r\nGET /", "1\r\n\n\r\n0000\r\nServer-Timing: a\r\nX_Y: z\r\n\r\n",
    "7FFFFFFFFFFFFFFF\r\n", "0\r\nDate: x\r\nContent-Length: 5\r\n\r\n",
]
