// Everything that a request on a hit costs beside the sockets and the executor: the sum that the other cases are parts of.

internal import Credentials
internal import Gateway
internal import HTTP1
internal import Kernel

extension Case {
    static func wholeRequest(_ fixtures: Fixtures) -> Case {
        Case("a whole hit") {
            let request = try ReadRequest()
            let response = try ReadResponse()
            let (asked, answered) = (request.bytes, response.bytes)
            let memo = IdentityMemo()
            let view = fixtures.view()
            let out = ByteBuffer(capacity: 16 << 10)
            return { iterations in
                var sum = 0
                for _ in 0..<iterations {
                    out.clear()
                    var detail = RouteDetail()
                    guard try request.read(),
                        case .relay(let admission) = try fixtures.snapshot.admit(
                            request.head.value, asked.bytes, wallClock: Fixtures.wallClock, recalling: memo, noting: &detail)
                    else { return 0 }
                    let instance = admission.instance
                    guard let answer = view.value.lookup(CacheKey(instance, user: admission.caller.user), instance, now: fixtures.now)
                    else { return 0 }
                    let credential = try answer.credential(at: instance, portalURL: fixtures.snapshot.portalURL)
                    try UpstreamHead.write(
                        request.head.value, asked.bytes, to: instance, suffix: admission.suffix, with: credential,
                        body: request.head.value.body, requestID: Fixtures.requestID, into: out)
                    guard try response.read() else { return 0 }
                    DownstreamHead.write(
                        response.head.value, answered.bytes, from: instance, redacting: credential, body: response.head.value.body,
                        keepAlive: true, requestID: Fixtures.requestID, allowedOrigin: detail.allowedOrigin, into: out)
                    sum &+= out.count
                }
                return sum
            }
        }
    }
}
