// The first half of every exchange: from a request head to where it may go, or the first refusal that applies.

package import HTTP1
package import Kernel

extension Snapshot {
    /// Decides on a request from its head alone, in the contract's order of refusals from `bad_request` of the path to `unknown_server`.
    ///
    /// - Parameters:
    ///   - head: parsed from `bytes`' front.
    ///   - wallClock: seconds since 1970, for the expiry of keys.
    ///   - memo: the worker's; without one every key and address is hashed.
    ///   - now: by which the memo's tokens have ended or not; at `never` all of them have.
    ///   - vouched: whom the request's token names, where that had to be found out (`Destination.unproven`).
    ///   - detail: filled as far as the request is understood, also where it is refused.
    package func admit(
        _ head: borrowing RequestHead, _ bytes: RawSpan, wallClock: Int64, recalling memo: IdentityMemo? = nil, at now: MonotonicTime = .never,
        vouched: VouchedUser? = nil, noting detail: inout RouteDetail
    ) throws(Refusal) -> Destination {
        let path = bytes[head.path]
        // No path and `*` (RFC 9112, sections 3.2.2 and 3.2.4) mean the server as a whole: nothing is there.
        guard path.byteCount == 0 || path.isEqual(to: "*") || RequestPath.isUnambiguous(path) else {
            throw Refusal(.badRequest, "the path can be read in two ways")
        }
        guard answersToHost(of: head, bytes) else { throw Refusal(.wrongHost, "the host is not among gateway.hosts") }
        let name: ByteRange
        let suffix: ByteRange?
        switch Route(path, at: Int(head.path.lower)) {
        case .nothing: throw Refusal(.notFound, "no route")
        case .portal: return .portal
        case .server(let range, let rest): (name, suffix) = (range, rest)
        }
        let origin = try allowedOrigin(of: head, bytes)
        detail.allowedOrigin = origin
        if let origin, head.method == .options, head.has(.accessControlRequestMethod) { return .preflight(origin: origin) }

        guard let keyLine = sole(.apiKey, head) else { throw Refusal(.unauthenticated, "x-api-key is missing or doubled") }
        let key: KeyEntry
        do throws(Refusal) {
            key = try APIKey.entry(for: bytes[keyLine.value], in: self, wallClock: wallClock, recalling: memo)
        } catch {
            detail.claimedKey = APIKey.parse(bytes[keyLine.value])?.id
            throw error
        }
        detail.key = key
        let user: UserEmail
        if key.comesWithToken {
            switch try provenUser(head, bytes, key.navigator, vouched, recalling: memo, at: now) {
            case .known(let known): user = known
            case .toBeVerified(let rule, let token): return .unproven(rule, token: token)
            }
        } else {
            guard let userLine = sole(.userEmail, head) else { throw Refusal(.badEmail, "x-user-email is missing or doubled") }
            guard let known = memo?.user(bytes[userLine.value]) ?? UserEmail(bytes[userLine.value]) else { throw Refusal(.badEmail, "x-user-email is not one address") }
            user = known
        }
        detail.user = user
        guard key.navigator.maySpeak(for: user) else { throw Refusal(.userNotAllowed, "the user is outside the navigator's users") }

        guard let instance = key.navigator.reachable[bytes[name]], instance.status == .active else {
            detail.instance = projects[key.navigator.project]?.instances[bytes[name]]
            throw Refusal(.unknownServer, unreachable(detail.instance, for: key.navigator))
        }
        detail.instance = instance
        guard suffix == nil || instance.server.transport == .sse else {
            throw Refusal(.notFound, "only servers of transport sse have paths below their own")
        }
        if let suffix, !MessagePath.isSuffix(bytes[suffix]) { throw Refusal(.notFound, "the path is none that an endpoint event names") }
        if suffix == nil, origin == nil, let known = memo?.admission(of: key, for: user, to: instance) { return .relay(known) }
        let admission = Admission(caller: Caller(key: key, user: user), instance: instance, suffix: suffix, allowedOrigin: origin)
        if suffix == nil, origin == nil { memo?.note(admission) }
        return .relay(admission)
    }

    /// The request's Origin where it is one that `gateway.allowed_origins` names; nil where there is none.
    /// - Throws: `origin_not_allowed` for every other, `null` and several included (MCP, "Security Warning" of the HTTP transports).
    package func allowedOrigin(of head: borrowing RequestHead, _ bytes: RawSpan) throws(Refusal) -> String? {
        guard head.has(.origin) else { return nil }
        guard let line = sole(.origin, head) else { throw Refusal(.originNotAllowed, "several origins") }
        let value = bytes[line.value]
        for allowed in gateway.allowedOrigins where value.equals(allowed) { return allowed }
        throw Refusal(.originNotAllowed, "the origin is not among gateway.allowed_origins")
    }

    private enum TokenUser {
        case known(UserEmail)
        case toBeVerified(UserTokenRule, ByteRange)
    }

    /// The token says who the user is. Where the header says it too, it says the same, or nobody knows whom the agent means.
    @inline(never)
    private func provenUser(
        _ head: borrowing RequestHead, _ bytes: RawSpan, _ navigator: Navigator, _ vouched: VouchedUser?, recalling memo: IdentityMemo?, at now: MonotonicTime
    ) throws(Refusal) -> TokenUser {
        guard let rule = navigator.token, let token = sole(.userToken, head) else { throw Refusal(.unauthenticated, "x-user-token is missing or doubled") }
        guard let user = vouched?.user ?? memo?.user(provenBy: bytes[token.value], rule, under: self, at: now) else { return .toBeVerified(rule, token.value) }
        guard head.count(of: .userEmail) > 0 else { return .known(user) }
        guard let line = sole(.userEmail, head) else { throw Refusal(.badEmail, "x-user-email is doubled") }
        if user.isSaid(by: bytes[line.value]) { return .known(user) }
        guard let named = UserEmail(bytes[line.value]) else { throw Refusal(.badEmail, "x-user-email is not one address") }
        guard named == user else { throw Refusal(.userNotAllowed, "x-user-email names another user than x-user-token") }
        return .known(user)
    }

    /// The one line of this field in its own spelling. One spelt with an underscore counts as not sent, since others may read it as another field.
    private func sole(_ id: FieldID, _ head: borrowing RequestHead) -> FieldLine? {
        head.count(of: id) == 1 ? head.first(id) : nil
    }

    /// Both the Host field and an absolute target's authority have to be ours, so that nobody on the way routed by the other.
    private func answersToHost(of head: borrowing RequestHead, _ bytes: RawSpan) -> Bool {
        guard !gateway.hosts.isEmpty else { return true }
        if let authority = head.authority, !isOurs(bytes[authority]) { return false }
        return isOurs(bytes[head.host])
    }

    private func isOurs(_ authority: RawSpan) -> Bool {
        // Behind a bracketed address a colon begins the port; in a name the first one does (RFC 3986, section 3.2).
        var end = authority.byteCount
        if end > 0, authority[0] == UInt8(ascii: "[") {
            end = authority.first(UInt8(ascii: "]")).map { $0 + 1 } ?? end
        } else {
            end = authority.first(UInt8(ascii: ":")) ?? end
        }
        let host = authority.extracting(0..<end)
        for name in gateway.hosts where host.equalsFolded(name.utf8Span.span.raw) { return true }
        return false
    }

    private func unreachable(_ instance: ServerInstance?, for navigator: Navigator) -> String {
        guard let instance else { return "the project has no such server" }
        return navigator.deniedServers.contains(instance.name) ? "the server is denied to the navigator" : "the server is paused"
    }
}
