// Bodies: chunked in every piece they can come in, by length, by the connection's end.

internal import HTTP1
internal import Kernel
internal import Testing

@Suite struct `Body decoder` {
    @Test(arguments: [
        ("0\r\n\r\n", ""), ("5\r\nhello\r\n0\r\n\r\n", "hello"), ("1\r\na\r\n2\r\nbc\r\n000\r\n\r\n", "abc"), ("A\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
        ("a\r\n\r\n\r\n\r\n\r\n\r\n\r\n0\r\n\r\n", "\r\n\r\n\r\n\r\n\r\n"), ("0000000000000005\r\nhello\r\n0000000000000000\r\n\r\n", "hello"),
        ("5;a=b;c=\"d e\";\tf\r\nhello\r\n0;x\r\n\r\n", "hello"), ("1;\r\nx\r\n0\r\n\r\n", "x"), ("0\r\nX: y\r\nServer-Timing:\r\nDate: \u{80}\r\n\r\n", ""),
    ] as [(Raw, Raw)])
    func `a chunked body is read, in whatever pieces it comes`(message: Raw, payload: Raw) {
        let message = bytes(message.text)
        let expected = Reading.read(ReadBody(payload: bytes(payload.text), length: message.count))
        let followed = message + bytes("GET / HTTP/1.1\r\n")
        #expect(readBody(message) == expected)
        #expect(readBody(followed) == expected)
        #expect(readBody(message, at: Array(0..<message.count)) == expected)
        for size in 0..<message.count {
            #expect(readBody(followed, at: [size]) == expected)
            #expect(readBody(Array(message[..<size])) == .notYet)
            #expect(readBody(Array(message[..<size]), closes: true) == .fault(.truncated))
        }
    }

    @Test(arguments: refusedBodies)
    func `is refused for what it is, in whatever pieces`(case refused: Refused) {
        let message = bytes(refused.message)
        #expect(readBody(message) == .fault(refused.fault))
        #expect(readBody(message, at: Array(0..<message.count)) == .fault(refused.fault))
        for size in 0..<message.count { #expect(readBody(message, at: [size]) == .fault(refused.fault)) }
    }

    @Test(arguments: [
        "+", "\n", "\r", "5\n", "5 ", "0x", "5\r\r", "5\r\nhelloX", "5\r\nhello\n", "5\r\nhello\rX", "5;a\n", "5;\0", "0\r\n\n", "0\r\n ", "0\r\nHost: a\r\n", "0\r\nA\r", "0\r\n\r\r",
        "11111111111111111",
    ] as [Raw])
    func `a byte that spoils the body is refused when it comes`(message: Raw) {
        let message = bytes(message.text)
        guard case .fault = readBody(message) else { Issue.record("not refused"); return }
        #expect(readBody(Array(message.dropLast()), at: Array(0..<message.count)) == .notYet)
    }

    @Test func `extensions have their limits`() {
        func chunk(_ count: Int) -> String { "1;\(String(repeating: "x", count: count))\r\na\r\n" }
        #expect(readBody(bytes(chunk(256) + "0\r\n\r\n")) == .read(ReadBody(payload: [97], length: 263 + 5)))
        #expect(readBody(bytes(chunk(257))) == .fault(.malformed(.chunkExtension)))
        let most = String(repeating: chunk(256), count: 64)
        guard case .read = readBody(bytes(most + "0\r\n\r\n")) else { Issue.record("not read"); return }
        #expect(readBody(bytes(most + chunk(1))) == .fault(.malformed(.chunkExtension)))
        #expect(readBody(bytes("1;" + String(repeating: "x", count: 10_000)), at: Array(0..<10_000)) == .fault(.malformed(.chunkExtension)))
    }

    @Test func `trailers have their limits`() {
        func body(_ count: Int) -> [UInt8] { bytes("0\r\nX: \(String(repeating: "a", count: count - 7))\r\n\r\n") }
        let most = BodyDecoder.mostTrailer
        guard case .read = readBody(body(most)) else { Issue.record("not read"); return }
        for message in [body(most + 1), body(most + 2), body(most + 3), body(most * 2)] {
            #expect(readBody(message) == .fault(.malformed(.trailers)))
            #expect(readBody(message, at: Array(0..<message.count)) == .fault(.malformed(.trailers)))
        }
        func lines(_ count: Int) -> [UInt8] { bytes("0\r\n\(String(repeating: "X: y\r\n", count: count))\r\n") }
        guard case .read = readBody(lines(32)) else { Issue.record("not read"); return }
        #expect(readBody(lines(33)) == .fault(.malformed(.trailers)))
    }

    @Test(arguments: FieldID.allCases.filter(\.isForbiddenAsTrailer))
    func `what frames, routes or authenticates is no trailer`(id: FieldID) throws {
        let name = try #require(FieldNames.all.first { $0.id == id }).name
        for spelling in [name, name.uppercased(), String(name.map { $0 == "-" ? "_" : $0 })] {
            #expect(readBody(bytes("0\r\n\(spelling): 1\r\n\r\n")) == .fault(.malformed(.forbiddenTrailer)))
        }
    }

    @Test func `a length is counted down and no further`() throws {
        let message = bytes("helloGET /")
        #expect(readBody(message, .exactly(5)) == .read(ReadBody(payload: bytes("hello"), length: 5)))
        for size in 0..<message.count {
            #expect(readBody(message, .exactly(5), at: [size]) == .read(ReadBody(payload: bytes("hello"), length: 5)))
        }
        #expect(readBody(bytes("hell"), .exactly(5)) == .notYet)
        #expect(readBody(bytes("hell"), .exactly(5), closes: true) == .fault(.truncated))
    }

    @Test(arguments: [BodyLength.none, .exactly(0), .exactly(-1)])
    func `no body is complete at once`(length: BodyLength) throws {
        let decoder = BodyDecoder(length)
        #expect(decoder.isComplete && decoder.payloadCount == 0)
        #expect(readBody(bytes("GET"), length) == .read(ReadBody(payload: [], length: 0)))
    }

    @Test func `a body without length ends with the connection`() {
        let message = bytes("0\r\n\r\nany")
        #expect(readBody(message, .untilClose) == .notYet)
        #expect(readBody(message, .untilClose, at: [0, 3], closes: true) == .read(ReadBody(payload: message, length: message.count)))
    }

    @Test func `payload is told as it comes, framing in one step`() throws {
        let message = bytes("5\r\nhello\r\n3\r\nabc\r\n0\r\n\r\n")
        var decoder = BodyDecoder(.chunked)
        var steps: [BodyStep] = []
        var taken = 0
        while !decoder.isComplete {
            let step = try decoder.next(message.span.raw.extracting(taken..<min(taken + 6, message.count)))
            steps.append(step)
            switch step {
            case .payload(let count), .framing(let count): taken += count
            case .needMore, .complete: Issue.record("nothing taken"); return
            }
        }
        #expect(steps == [.framing(3), .payload(5), .framing(5), .payload(3), .framing(5), .framing(2)])
        #expect(decoder.payloadCount == 8)
        let after = try decoder.next(message.span.raw)
        #expect(after == .complete)
    }

    @Test func `what the buffer writes is what the decoder reads`() {
        for sizes in [[], [1], [15, 16, 17], [255, 4096, 0, 70_000]] {
            let buffer = ByteBuffer(capacity: 1)
            var payload: [UInt8] = []
            for size in sizes {
                let chunk = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
                let before = buffer.count
                buffer.append(chunkOf: chunk.span.raw)
                #expect(buffer.count - before <= size + ByteBuffer.chunkOverhead)
                payload += chunk
            }
            buffer.appendLastChunk()
            let written = buffer.bytes.copied()
            #expect(readBody(written) == .read(ReadBody(payload: payload, length: written.count)))
        }
    }
}

private let refusedBodies: [Refused] = refusedSizes + refusedEnds + refusedExtensions + refusedTrailers

private let refusedSizes: [Refused] = [
        "\r\n", "g\r\n", "+5\r\n", "-1\r\n", "-0\r\n", "0x5\r\n", "x5\r\n", "5h\r\n", " 5\r\n", "5 \r\n", "5\t\r\n", "5 ;a\r\n", "\t5\r\n", ";a\r\n",
        "5,\r\n", "5.\r\n", "5_0\r\n", "\u{0}5\r\n", "5\0\r\n", "\u{FF}5\r\n", "\u{B2}\r\n", "10000000000000000\r\n", "00000000000000000\r\n",
        "FFFFFFFFFFFFFFFF\r\n", "8000000000000000\r\n", "7FFFFFFFFFFFFFFF\r\n", "4000000000000000\r\n", "5\r\nhello\r\n+0\r\n", "5\u{B}\r\n", "\"5\"\r\n",
    ].map { Refused($0, .chunkSize) }

private let refusedEnds: [Refused] = [
        Refused("5\nhello\r\n", .bareLineFeed), Refused("\n", .bareLineFeed), Refused("5;a\nhello\r\n", .bareLineFeed), Refused("5;a=\"\n\"\r\n", .bareLineFeed),
        Refused("5\r\nhello\n0\r\n\r\n", .bareLineFeed), Refused("0\r\n\n", .bareLineFeed), Refused("0\n\r\n", .bareLineFeed), Refused("0\r\nX: y\n\r\n", .bareLineFeed),
        Refused("0\r\nX: y\r\n\n", .bareLineFeed), Refused("5\r\nhello\r\n0\n\n", .bareLineFeed), Refused("5\rhello", .bareCarriageReturn), Refused("5\r\r\n", .bareCarriageReturn),
        Refused("5;a\rb\r\n", .bareCarriageReturn), Refused("5\r\nhello\r0\r\n", .bareCarriageReturn), Refused("0\r\n\r\r\n", .bareCarriageReturn),
        Refused("0\r\nX: y\rZ: a\r\n", .bareCarriageReturn), Refused("5\r\nhello\r\r\n", .bareCarriageReturn), Refused("5\r\nhelloo\r\n", .chunkEnd),
        Refused("5\r\nhello0\r\n\r\n", .chunkEnd), Refused("5\r\nhello 0\r\n", .chunkEnd), Refused("3\r\nhello\r\n", .chunkEnd),
    ]

private let refusedExtensions: [Refused] = ["5;\0\r\n", "5;a=\u{7F}\r\n", "5;\u{B}\r\n", "5;\u{80}\r\n", "5;a=\"\u{FF}\"\r\n", "0;\u{1}\r\n"].map { Refused($0, .chunkExtension) }

private let refusedTrailers: [Refused] = [
        Refused("0\r\n X: y\r\n\r\n", .leadingWhitespace), Refused("0\r\nX: y\r\n z\r\n\r\n", .leadingWhitespace), Refused("0\r\nX : y\r\n\r\n", .whitespaceBeforeColon),
        Refused("0\r\nX\r\n\r\n", .missingColon), Refused("0\r\n: y\r\n\r\n", .emptyName), Refused("0\r\nX: \0\r\n\r\n", .controlByte), Refused("0\r\nX\u{E9}: y\r\n\r\n", .fieldName),
        Refused("0\r\nX: y\r\ncontent-length: 5\r\n\r\n", .forbiddenTrailer), Refused("0\r\nGET / HTTP/1.1\r\n\r\n", .whitespaceBeforeColon),
        Refused("0\r\nX-Forwarded-Host: a\r\n\r\n", .forbiddenTrailer), Refused("0\r\nProxy-Anything: a\r\n\r\n", .forbiddenTrailer),
    ]
