// The declared codes against the contract's table.

import Gateway
import Testing

@Suite struct RefusalCodeTests {
    /// contract.md, "The gateway's HTTP": code and status, in the order in which refusals are given.
    static let contract: [(code: String, status: Int)] = [
        ("bad_request", 400), ("line_too_long", 414), ("head_too_large", 431), ("request_timeout", 408), ("method_not_allowed", 405),
        ("expectation_failed", 417), ("wrong_host", 421), ("not_found", 404), ("origin_not_allowed", 403), ("unauthenticated", 401),
        ("bad_email", 400), ("user_not_allowed", 403), ("unknown_server", 404), ("denied", 403), ("rate_limited", 429),
        ("overloaded", 503), ("too_large", 413), ("credential_missing", 403), ("credential_rejected", 403),
        ("credential_invalid", 502), ("store_unavailable", 503), ("upstream_unreachable", 502), ("upstream_invalid", 502),
        ("upstream_timeout", 504),
    ]

    @Test func `the codes are the contract's, in its order and with its statuses`() {
        #expect(RefusalCode.allCases.map(\.rawValue) == Self.contract.map(\.code))
        #expect(RefusalCode.allCases.map(\.status) == Self.contract.map(\.status))
    }

    @Test(arguments: RefusalCode.allCases) func `each code has a sentence for its answer and one for the reference page`(_ code: RefusalCode) {
        let sentence = "\(code.sentence)"
        #expect(sentence.hasSuffix(".") && sentence.utf8.allSatisfy { $0 < 0x7f && $0 >= 0x20 && $0 != 0x22 && $0 != 0x5c })
        #expect(code.documentation.hasSuffix(".") && code.documentation.count > 20)
        #expect(code.remedy.hasSuffix(".") && code.remedy.count > 10)
    }
}
