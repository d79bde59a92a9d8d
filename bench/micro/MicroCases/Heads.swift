// Reading heads and writing them anew.

internal import Gateway
internal import HTTP1
internal import Kernel

/// A head that was read, with its bytes, as a connection has them.
final class ReadRequest {
    let bytes = ByteBuffer(Text.request)
    let head = Own(RequestHead())

    init() throws {
        guard try read() else { throw Unfit("the request's head is not complete") }
    }

    @inline(always)
    func read() throws(MessageFault) -> Bool {
        var scan = HeadScan()
        let bytes = bytes
        return try head.value.parse(bytes.bytes, scan: &scan, limits: HeadLimits())
    }
}

final class ReadResponse {
    let bytes = ByteBuffer(Text.response)
    let head = Own(ResponseHead())

    init() throws {
        guard try read() else { throw Unfit("the response's head is not complete") }
    }

    @inline(always)
    func read() throws(MessageFault) -> Bool {
        var scan = HeadScan()
        let bytes = bytes
        return try head.value.parse(bytes.bytes, scan: &scan, limits: HeadLimits(), answering: .post)
    }
}

extension Case {
    static func headCases(_ fixtures: Fixtures) -> [Case] {
        [
            Case("request head read") {
                let request = try ReadRequest()
                return { iterations in
                    var sum = 0
                    for _ in 0..<iterations where try request.read() { sum &+= request.head.value.length }
                    return sum
                }
            },
            Case("request head written, no injector") { try rewriting(to: fixtures.none, fixtures) },
            Case("request head written, header") { try rewriting(to: fixtures.header, fixtures) },
            Case("request head written, path") { try rewriting(to: fixtures.path, fixtures) },
            Case("request head written, query") { try rewriting(to: fixtures.query, fixtures) },
            Case("response head read") {
                let response = try ReadResponse()
                return { iterations in
                    var sum = 0
                    for _ in 0..<iterations where try response.read() { sum &+= response.head.value.length }
                    return sum
                }
            },
            Case("response head written") {
                let response = try ReadResponse()
                let bytes = response.bytes
                let credential = try fixtures.credential(for: fixtures.header)
                let out = ByteBuffer(capacity: 16 << 10)
                return { iterations in
                    var sum = 0
                    for _ in 0..<iterations {
                        out.clear()
                        DownstreamHead.write(
                            response.head.value, bytes.bytes, from: fixtures.header, redacting: credential,
                            body: response.head.value.body, keepAlive: true, requestID: Fixtures.requestID, allowedOrigin: nil, into: out)
                        sum &+= out.count
                    }
                    return sum
                }
            },
        ]
    }

    private static func rewriting(to instance: ServerInstance, _ fixtures: Fixtures) throws -> Run {
        let request = try ReadRequest()
        let bytes = request.bytes
        let credential = try fixtures.credential(for: instance)
        let out = ByteBuffer(capacity: 16 << 10)
        return { iterations in
            var sum = 0
            for _ in 0..<iterations {
                out.clear()
                try UpstreamHead.write(
                    request.head.value, bytes.bytes, to: instance, suffix: nil, with: credential, body: request.head.value.body,
                    requestID: Fixtures.requestID, into: out)
                sum &+= out.count
            }
            return sum
        }
    }
}
