// Sessions that are resumed: only with the server that they were made with, and not for ever.

internal import COpenSSL
internal import Kernel
internal import TLS
import Testing

@Suite struct ResumptionTests {
    let authority: Identity
    let identity: Identity

    init() throws {
        authority = try Identity(name: "Test Authority")
        identity = try Identity(name: "x", names: "DNS:crm.example.com,DNS:docs.example.com", issuer: authority)
    }

    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION]) func `a second connection resumes the first one's session`(version: Int32) throws {
        let context = try context()
        let first = try made(context, versions: version...version)
        #expect(!first.client.isResumed)
        // A third as well: a session that was offered can be offered again.
        for _ in 0..<2 {
            let later = try made(context, versions: version...version, like: first)
            #expect(later.client.isResumed)
            #expect(later.serverResumed)
            #expect(later.serverWrites([1, 2, 3]) == 3)
            later.client.isSocketReadable = true
            #expect(later.clientReads().1 == [1, 2, 3])
        }
    }

    @Test func `another name is another server`() throws {
        let context = try context()
        let first = try made(context)
        #expect(try !made(context, to: "docs.example.com", like: first).client.isResumed)
    }

    @Test func `another context trusts for itself`() throws {
        let first = try made(context())
        #expect(try !made(context(), like: first).client.isResumed)
    }

    @Test func `a context that does not resume keeps nothing`() throws {
        let context = try context(resumes: false)
        let first = try made(context)
        #expect(try !made(context, like: first).client.isResumed)
    }

    @Test func `a certificate is to be shown again after an hour, however often a session was renewed`() throws {
        let context = try context()
        let first = try made(context)
        let half = MonotonicTime(nanoseconds: 0).advanced(by: .seconds(1800))
        #expect(try made(context, like: first, now: half).client.isResumed)
        let end = MonotonicTime(nanoseconds: 0).advanced(by: ClientContext.resumptionLifetime)
        #expect(try !made(context, like: first, now: end).client.isResumed)
    }

    private func context(resumes: Bool = true) throws -> ClientContext {
        try TemporaryFile.with(authority.pem()) { path in try ClientContext(authorities: path, resumes: resumes) }
    }

    /// A connection that is made, with the tickets taken in.
    private func made(
        _ context: ClientContext, to name: String = "crm.example.com", versions: ClosedRange<Int32> = TLS1_2_VERSION...TLS1_3_VERSION,
        like earlier: Pair? = nil, now: MonotonicTime = MonotonicTime(nanoseconds: 0)
    ) throws -> Pair {
        let pair = try Pair(
            context, to: name, identity: identity, versions: versions, tickets: 2, likeServerOf: earlier, now: now)
        try #require(pair.handshake() == .done)
        pair.serverHandshake()
        pair.client.isSocketReadable = true
        try #require(pair.clientReads().0 == .wantsRead)
        return pair
    }
}
