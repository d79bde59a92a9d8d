// Damaged challenges, documents and answers: what holds of every text holds of them. The seeds are fixed, so a failure repeats.

import Testing

@Suite struct MutationTests {
    private static let challenges = [
        #"Bearer resource_metadata="https://mcp.example/.well-known/oauth-protected-resource/mcp", scope="a b", error="insufficient_scope""#,
        "Basic realm=\"x\\\"y\"\nNegotiate abc==, Bearer", "DPoP algs=\"ES256\",Bearer error = invalid_token , a=b",
    ]
    private static let documents = [
        """
        {"issuer":"https://issuer.example/","authorization_endpoint":"https://issuer.example/a?b=c","token_endpoint":"https://127.0.0.1:8443/t",\
        "registration_endpoint":"https://localhost/r","scopes_supported":["openid","a b"],"code_challenge_methods_supported":["S256"]}
        """,
        #"{"resource":"https://mcp.example/a/","authorization_servers":["https://issuer.example/","x"],"scopes_supported":["r","w"]}"#,
        #"{"client_id":"abc","client_secret":"s\u0065cret","client_secret_expires_at":0}"#,
    ]
    private static let answers = [
        #" {"access_token":"abc","refresh_token":"def","expires_in":"3600","scope":"a b","token_type":"Bearer","issued_token_type":"urn:ietf:params:oauth:token-type:jwt"}"#,
        #"{"error":"invalid_grant","error_description":"gone\u0000 \u00e9"}"#, "c",
    ]
    private static let urls = ["https://issuer.example:8443/a/b?c=d", "http://[::1]:80/", "http://127.0.0.1/x%2F..", "https://a.example"]

    private static let kinds: [(seeds: [String], holds: @Sendable ([UInt8]) -> String?)] = [
        (challenges, Properties.challenge), (documents, Properties.metadata), (answers, Properties.token), (urls, Properties.service),
    ]

    @Test(arguments: kinds.indices)
    func `nothing that another side sends breaks what holds`(kind: Int) {
        let (seeds, holds) = MutationTests.kinds[kind]
        var random = SplitMix(state: UInt64(kind) + 17)
        for round in 0..<1500 {
            var bytes = Array(seeds[round % seeds.count].utf8)
            if round >= seeds.count { random.damage(&bytes, with: Array((seeds.randomElement(using: &random) ?? "").utf8)) }
            if let problem = holds(bytes) {
                Issue.record("\(problem): \(String(decoding: bytes, as: UTF8.self).debugDescription)")
                return
            }
        }
    }
}

/// The same in every run.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
        return mixed ^ mixed >> 31
    }

    mutating func damage(_ bytes: inout [UInt8], with other: [UInt8]) {
        for _ in 0..<Int.random(in: 1...4, using: &self) where !bytes.isEmpty {
            let at = Int.random(in: 0..<bytes.count, using: &self)
            let end = min(at + Int.random(in: 1...8, using: &self), bytes.count)
            switch Int.random(in: 0..<5, using: &self) {
            case 0: bytes[at] = UInt8.random(in: 0...255, using: &self)
            case 1: bytes[at] = "\"\\{}[],:=%#@?/ \n0".utf8.randomElement(using: &self) ?? 0
            case 2: bytes.removeSubrange(at..<end)
            case 3: bytes.insert(contentsOf: bytes[at..<end], at: at)
            default: if !other.isEmpty { bytes.insert(contentsOf: other.dropFirst(Int.random(in: 0..<other.count, using: &self)), at: at) }
            }
        }
    }
}
