// The API's routes of auth links.

internal import Gateway
internal import HTTPTypes
internal import Hummingbird

extension APIRoute {
    static let links: [APIRoute] = [
        APIRoute(
            .get, "/projects/{project}/links", "The links of a project that are not deleted, its standing link first, then the newest.",
            query: [
                Query(name: "after", sentence: "Behind the link of this id, which the last answer gave as `next`."),
                Query(name: "limit", sentence: "So many at most, the standing link apart: 1 to 1,000, 1,000 unless said."),
            ], answer: .json(.ok, LinkList.shape)
        ) { portal, call async throws(APIFault) in
            let project = try portal.project(call["project"])
            let (after, limit) = (try call.checked("after") { LinkID($0) }, try call.limit() ?? 1000)
            let all = try await portal.asking { try await portal.state.links(of: project.name) }
            let begun = after.flatMap { after in all.firstIndex { $0.link.id == after } }
            guard after == nil || begun != nil else { throw .noLink }
            let records = all[(begun.map { $0 + 1 } ?? 0)...].prefix(limit)
            let (snapshot, now) = (portal.snapshot(), portal.wallClock())
            let standing = after != nil ? nil : AuthLink(standingFor: project).map {
                LinkView($0, nil, in: snapshot, at: now, url: "\(snapshot.portalURL)/connect/\(project.name)")
            }
            return .json(
                .ok,
                LinkList(
                    links: (standing.map { [$0] } ?? []) + records.map { LinkView($0.link, $0, in: snapshot, at: now) },
                    next: records.endIndex < all.endIndex ? records.last?.link.id?.text : nil))
        },
        APIRoute(
            .post, "/projects/{project}/links", "Makes a link; its URL is shown this once.", body: LinkOrder.shape, answer: .json(.created, LinkView.shape)
        ) { portal, call async throws(APIFault) in
            let project = try portal.project(call["project"])
            let order = try await call.body(LinkOrder.self, of: LinkOrder.shape)
            guard let restriction = try restriction(order.domains, order.email), order.type == restriction.level.rawValue else {
                throw APIFault(
                    .unprocessableContent, "bad_restriction", "A link of type `user` has `domains`, one of type `project` has one `email`, and neither has both.")
            }
            let draft = LinkDraft(project: project, servers: order.servers, restriction: restriction, expires: try time(order.expires))
            let made = try await portal.createLink(draft, by: call.principal)
            return .json(.created, try await portal.view(made.link, url: portal.url(of: made.token)))
        },
        APIRoute(.get, "/links/{id}", "A link, and who connected what through it.", answer: .json(.ok, LinkView.shape)) { portal, call async throws(APIFault) in
            let record = try await portal.link(call["id"])
            return .json(.ok, try await portal.view(record.link))
        },
        APIRoute(.patch, "/links/{id}", "Changes for whom a link is, or until when.", body: LinkChange.shape, answer: .json(.ok, LinkView.shape)) {
            portal, call async throws(APIFault) in
            let change = try await call.body(LinkChange.self, of: LinkChange.shape)
            let edit = LinkEdit(restriction: try restriction(change.domains, change.email), expires: try time(change.expires))
            let link = try await portal.editLink(try linkID(call), edit, by: call.principal)
            return .json(.ok, try await portal.view(link))
        },
        APIRoute(.delete, "/links/{id}", "Deletes a link; credentials stay.", answer: .nothing) { portal, call async throws(APIFault) in
            try await portal.deleteLink(try linkID(call), by: call.principal)
            return Response(status: .noContent)
        },
        APIRoute(
            .post, "/links/{id}/renew", "Gives a link another URL, shown this once; the old one is worth nothing, and a spent link can be used again.",
            body: LinkChange.renewal, answer: .json(.ok, LinkView.shape)
        ) { portal, call async throws(APIFault) in
            let change = try await call.body(LinkChange.self, of: LinkChange.renewal)
            let renewed = try await portal.renewLink(try linkID(call), expires: try time(change.expires), by: call.principal)
            return .json(.ok, try await portal.view(renewed.link, url: portal.url(of: renewed.token)))
        },
    ]

    private static func linkID(_ call: APICall) throws(APIFault) -> LinkID {
        guard let id = LinkID(call["id"]) else { throw .noLink }
        return id
    }

    /// Nil where neither is given.
    private static func restriction(_ domains: [String]?, _ email: String?) throws(APIFault) -> LinkRestriction? {
        switch (domains, email) {
        case (nil, nil): return nil
        case (let domains?, nil):
            let checked = domains.compactMap { EmailDomain($0) }
            guard !checked.isEmpty, checked.count == domains.count else {
                throw APIFault(.unprocessableContent, "bad_domain", "`domains` are such as acme.com: what follows an address's @, each by itself.")
            }
            return .domains(checked)
        case (nil, let email?):
            guard let checked = UserEmail(email) else { throw APIFault(.unprocessableContent, "bad_email", "`email` is not an email address.") }
            return .email(checked)
        case (_?, _?): throw APIFault(.unprocessableContent, "bad_restriction", "A link is for `domains` or for one `email`, not for both.")
        }
    }

    static func time(_ text: String?) throws(APIFault) -> Int64? {
        guard let text else { return nil }
        guard let seconds = Timestamp.seconds(text) else {
            throw APIFault(.unprocessableContent, "bad_time", "A time is such as 2027-01-01T00:00:00Z (RFC 3339).")
        }
        return seconds
    }
}

extension Portal {
    fileprivate func view(_ link: AuthLink, url: String? = nil) async throws(APIFault) -> LinkView {
        guard let id = link.id else { return LinkView(link, nil, in: snapshot(), at: wallClock(), url: url) }
        let (record, completions) = try await asking { (try await state.link(id), try await state.completions(of: id)) }
        return LinkView(link, record, in: snapshot(), at: wallClock(), url: url, completions: completions)
    }
}
