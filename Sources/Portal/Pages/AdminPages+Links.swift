// Auth links on the administrators' pages: listed, made after a look at who may use them, changed, renewed, deleted.

internal import Gateway
internal import HTTPTypes
internal import Hummingbird

extension Portal {
    /// What an administrator's form asks for; every change is one of the operations that API and commands use.
    func administrationForm(
        _ request: Request, _ form: FormBody, _ path: [String], _ visitor: Visitor, _ session: PortalSession
    ) async throws -> Response {
        guard let first = path.first, let project = administered(by: session.email).first(where: { $0.name.text == first }) else { return notice(.nothingHere) }
        let pages = AdminPages(portal: self, project: project, session: session, visitor: visitor)
        let principal = Principal(actor: .person(session.email), source: request.peer)
        switch (path.count, path.dropFirst().first) {
        case (3, "links") where path[2] == "new": return try await pages.makeLink(form, principal)
        case (4, "links"): return try await pages.changeLink(form, path[2], path[3], principal)
        case (4, "users") where path[3] == "delete":
            guard let email = UserEmail(AdminPages.decoded(path[2])) else { return notice(.nothingHere) }
            try await deleteUser(email, in: project, by: principal)
            return .seeOther("\(pages.base)/users?did=forgotten")
        case (5, "users") where path[3] == "revoke":
            guard let email = UserEmail(AdminPages.decoded(path[2])), let server = ServerName(path[4]) else { return notice(.nothingHere) }
            _ = try await revoke(email, servers: [server.text], in: project, by: principal)
            return .seeOther("\(pages.base)/users/\(path[2])?did=revoked")
        default: return notice(.nothingHere)
        }
    }
}

extension AdminPages {
    // MARK: Shown

    func links(_ request: Request) async throws -> Response {
        let records = try await portal.state.links(of: project.name)
        let ranked = records.filter { $0.link.state(at: now) == .active } + records.filter { $0.link.state(at: now) != .active }
        let all: [PageModel] = ranked.map { record in
            [
                "href": "\(base)/links/\(record.link.id?.text ?? "")", "restriction": AdminPages.words(record.link.restriction), "type": AdminPages.type(record.link),
                "servers": names(record.link), "expires": expiry(record.link), "people": record.people,
                "used": record.lastUsed.map { Moment.ago($0, now: now) } ?? "Not yet",
            ].merging(AdminPages.mark(record.link.state(at: now))) { $1 }
        }
        let start = AdminPages.start(request)
        let (rows, next) = PageRoom.part(of: all, from: start, markup: 110)
        var model = model(.links, "Links")
        model["pager"] = pager("\(base)/links", start, rows.count, next, of: all.count, "links")
        let active = records.count { $0.link.state(at: now) == .active }
        model.merge([
            "lead": records.isEmpty
                ? "Links let people connect their accounts." : "\(AdminPages.count(active, "active link", "active links")), \(records.count - active) ended.",
            "rows": rows,
            "hasRows": !rows.isEmpty, "hasLinks": !all.isEmpty, "standing": !project.connect.isEmpty && start == 0, "domains": project.connect.map { "@\($0)" }.joined(separator: ", "),
            "url": "\(portal.snapshot().portalURL)/connect/\(project.name)",
        ]) { $1 }
        return Page.response(.adminLinks, model)
    }

    func link(_ text: String, _ request: Request) async throws -> Response {
        let record = try await owned(text)
        guard let id = record.link.id else { return portal.notice(.nothingHere) }
        let completions = try await portal.state.completions(of: id)
        let all: [PageModel] = completions.map {
            ["email": $0.email.text, "server": project.instance($0.server)?.words ?? $0.server.text, "when": Moment.minute($0.at)]
        }
        let start = AdminPages.start(request)
        let (rows, next) = PageRoom.part(of: all, from: start, markup: 70)
        var model = model(.links, "Link")
        model["pager"] = pager("\(base)/links/\(id)", start, rows.count, next, of: all.count, "connections")
        model.merge([
            "href": "\(base)/links/\(id)", "id": id.text, "restriction": AdminPages.words(record.link.restriction), "type": AdminPages.type(record.link), "servers": names(record.link),
            "expires": expiry(record.link), "made": "\(record.link.created.map { Moment.minute($0) } ?? "") by \(record.creator)", "rows": rows, "hasRows": !rows.isEmpty,
        ]) { $1 }
        model.merge(AdminPages.mark(record.link.state(at: now))) { $1 }
        return Page.response(.adminLink, model)
    }

    /// How many rows the pages before this one had, as the way to it says.
    static func start(_ request: Request) -> Int {
        request.uri.queryParameters["from"].flatMap { Int(String($0)) }.map { min(max($0, 0), 1_000_000) } ?? 0
    }

    private func pager(_ href: String, _ start: Int, _ count: Int, _ next: Int?, of all: Int, _ what: String) -> Any {
        PageRoom.pager(
            first: start > 0 ? href : nil, next: next.map { "\(href)?from=\($0)" },
            words: count == 0 ? "" : "\(AdminPages.grouped(start + 1)) to \(AdminPages.grouped(start + count)) of \(AdminPages.grouped(all)) \(what).") ?? false
    }

    func linkForm(_ form: FormBody? = nil, problem: String? = nil) -> Response {
        let chosen = form?.texts("server") ?? []
        let servers: [PageModel] = project.instances.values.filter { $0.needsDeposit && $0.status == .active }.sorted { $0.words < $1.words }.map { instance in
            return [
                "name": instance.name.text, "title": instance.words, "chosen": chosen.contains(instance.name.text),
                "words": instance.level == .user ? "Each user’s own account" : "One key for everybody",
            ]
        }
        var model = model(.links, "New link")
        model.merge([
            "headline": "New link", "lead": "Say what it is for and who may use it. You see what it will do before it is made.", "action": "\(base)/links/new",
            "isNew": true, "isUser": form?.text("type") != "project", "servers": servers, "asksDomain": true, "asksEmail": true,
            "domain": form?.text("domain") ?? project.connect.first?.text ?? "", "email": form?.text("email") ?? "",
            "expires": form?.text("expires") ?? Moment.field(now + Portal.usualLife), "today": Moment.field(now), "button": "Look at it", "cancel": "\(base)/links",
            "problem": problem ?? false,
        ]) { $1 }
        return Page.response(.adminLinkForm, model, status: problem == nil ? .ok : .unprocessableContent)
    }

    func linkChange(_ text: String, _ change: String, form: FormBody? = nil, problem: String? = nil) async throws -> Response {
        let record = try await owned(text)
        let link = record.link
        let href = "\(base)/links/\(text)"
        switch change {
        case "delete":
            return confirm(
                .links, "Delete this link?", "Nobody can open it any more, from now on, whoever has it. What people connected through it stays connected.", "Delete",
                "\(href)/delete", href)
        case "renew":
            return confirm(
                .links, "Renew this link?",
                "It gets a new URL, which you send again; the old one stops working at once. It ends as long from now as it was made for\(link.spent == nil ? "" : ", and can be used once more").",
                "Renew", "\(href)/renew", href, isDanger: false)
        case "edit":
            var model = model(.links, "Edit link")
            let (domain, email) =
                switch link.restriction {
                case .domains(let domains): (domains.map(\.text).joined(separator: ", "), "")
                case .email(let email): ("", email.text)
                }
            model.merge([
                "headline": "Edit link", "lead": "The URL stays the same. Whoever is using it just now is held to the change at his next step.", "action": "\(href)/edit",
                "isNew": false, "asksDomain": link.level == .user, "asksEmail": link.level == .project, "domain": form?.text("domain") ?? domain,
                "email": form?.text("email") ?? email, "expires": form?.text("expires") ?? link.expires.map { Moment.field($0 - 1) } ?? "", "today": Moment.field(now),
                "button": "Save", "cancel": href, "problem": problem ?? false,
            ]) { $1 }
            return Page.response(.adminLinkForm, model, status: problem == nil ? .ok : .unprocessableContent)
        default: return portal.notice(.nothingHere)
        }
    }

    // MARK: Done

    /// The first time it is shown what the link will do; with `confirmed` it is made.
    func makeLink(_ form: FormBody, _ principal: Principal) async throws -> Response {
        let isUser = form.text("type") != "project"
        let chosen = form.texts("server")
        let restriction: LinkRestriction
        if isUser {
            guard let domains = AdminPages.domains(form.text("domain")) else {
                return linkForm(form, problem: "Name the domain, such as acme.com: what stands behind the @ of the addresses.")
            }
            restriction = .domains(domains)
        } else {
            guard let email = UserEmail(form.text("email")) else { return linkForm(form, problem: "Name the one email address that may use it.") }
            restriction = .email(email)
        }
        guard !chosen.isEmpty else { return linkForm(form, problem: "Choose one server at least.") }
        do throws(UnfitServers) { _ = try LinkServers(chosen, of: restriction.level, in: project) } catch { return linkForm(form, problem: APIFault(error).message) }
        guard let expires = AdminPages.end(form.text("expires")), expires > now else { return linkForm(form, problem: "Choose a last day that is not over.") }
        guard expires <= now + Portal.longestLife else { return linkForm(form, problem: "A link lives 366 days at most.") }
        let draft = LinkDraft(project: project, servers: chosen, restriction: restriction, expires: expires)
        guard form.text("confirmed") == "yes" else { return review(form, draft, expires) }
        let made = try await portal.createLink(draft, by: principal)
        return shownOnce(made.link, made.token, "The link is made")
    }

    private func review(_ form: FormBody, _ draft: LinkDraft, _ expires: Int64) -> Response {
        let titles = draft.servers.map { name in ServerName(name).flatMap { project.instance($0) }?.words ?? name }
        let isUser = draft.restriction.level == .user
        let (may, counts) =
            switch draft.restriction {
            case .domains(let domains):
                (
                    "Everybody with an address at \(domains.map { "@\($0)" }.joined(separator: " or ")), once they have shown that it is theirs. Nobody else: no subdomains.",
                    "Each for themselves: their agents act as them."
                )
            case .email(let email): ("Only \(email.text), after showing that the address is theirs.", "Everybody in \(project.title ?? project.name.text): one key for all.")
            }
        var model = model(.links, "Make this link?")
        model.merge([
            "may": may, "what": titles.joined(separator: ", "), "counts": counts,
            "often": isUser ? "As often as they like, until it ends." : "Once: it ends when everything is connected, or when they say that they are done.",
            "until": "The end of \(Moment.day(expires - 1)) (UTC), \(Moment.until(expires, now: now))", "action": "\(base)/links/new", "type": isUser ? "user" : "project",
            "domain": form.text("domain"), "email": form.text("email"), "expires": form.text("expires"), "servers": draft.servers, "cancel": "\(base)/links",
        ]) { $1 }
        return Page.response(.adminLinkReview, model)
    }

    func changeLink(_ form: FormBody, _ text: String, _ change: String, _ principal: Principal) async throws -> Response {
        let link = try await owned(text).link
        guard let id = link.id else { return portal.notice(.nothingHere) }
        switch change {
        case "delete":
            try await portal.deleteLink(id, by: principal)
            return .seeOther("\(base)/links?did=deleted")
        case "renew":
            let made = try await portal.renewLink(id, expires: nil, by: principal)
            return shownOnce(made.link, made.token, "The link is renewed")
        case "edit":
            var edit = LinkEdit()
            switch link.restriction {
            case .domains:
                guard let domains = AdminPages.domains(form.text("domain")) else {
                    return try await linkChange(text, change, form: form, problem: "Name the domain, such as acme.com.")
                }
                edit.restriction = .domains(domains)
            case .email:
                guard let email = UserEmail(form.text("email")) else {
                    return try await linkChange(text, change, form: form, problem: "Name the one email address that may use it.")
                }
                edit.restriction = .email(email)
            }
            guard let expires = AdminPages.end(form.text("expires")) else {
                return try await linkChange(text, change, form: form, problem: "Choose a last day.")
            }
            edit.expires = expires
            do throws(APIFault) { _ = try await portal.editLink(id, edit, by: principal) } catch {
                guard error.status == .unprocessableContent else { throw error }
                return try await linkChange(text, change, form: form, problem: error.message)
            }
            return .seeOther("\(base)/links/\(id)?did=edited")
        default: return portal.notice(.nothingHere)
        }
    }

    private func shownOnce(_ link: AuthLink, _ token: LinkToken, _ headline: String) -> Response {
        var model = model(.links, headline)
        model.merge([
            "headline": headline, "url": portal.url(of: token),
            "whom": link.level == .user ? "everybody at \(AdminPages.words(link.restriction)) who needs it" : AdminPages.words(link.restriction),
            "href": "\(base)/links/\(link.id?.text ?? "")", "until": link.expires.map { "It works until the end of \(Moment.day($0 - 1)) (UTC)." } ?? "",
        ]) { $1 }
        return Page.response(.adminLinkMade, model)
    }

    // MARK: Words

    /// A link of this project; another's does not exist here.
    private func owned(_ text: String) async throws(APIFault) -> LinkRecord {
        let record = try await portal.link(text)
        guard record.link.project == project.name else { throw .noLink }
        return record
    }

    static func words(_ restriction: LinkRestriction) -> String {
        switch restriction {
        case .domains(let domains): domains.map { "@\($0)" }.joined(separator: ", ")
        case .email(let email): email.text
        }
    }

    static func type(_ link: AuthLink) -> String { link.level == .user ? "User" : "Project, once" }

    private func names(_ link: AuthLink) -> String {
        switch link.servers {
        case .everyOne: "All"
        case .these(let names): names.map { project.instance($0)?.words ?? "\($0) (gone)" }.joined(separator: ", ")
        }
    }

    private func expiry(_ link: AuthLink) -> String {
        link.expires.map { $0 > now ? "\(Moment.day($0 - 1)), \(Moment.until($0, now: now))" : Moment.day($0 - 1) } ?? "Never"
    }

    static func mark(_ state: AuthLink.State) -> PageModel {
        switch state {
        case .active: mark("Active", "ok", "isDisc")
        case .expired: mark("Expired", "todo", "isRing")
        case .spent: mark("Used", "todo", "isRing")
        case .deleted: mark("Deleted", "bad", "isCross")
        }
    }

    /// `acme.com, acme.org`, perhaps with their `@`; nil for what holds anything else, or nothing.
    static func domains(_ text: String) -> [EmailDomain]? {
        let parts = text.split(whereSeparator: { $0 == "," || $0 == " " })
        let domains = parts.compactMap { EmailDomain($0.first == "@" ? $0.dropFirst() : $0) }
        return domains.isEmpty || domains.count != parts.count ? nil : domains
    }

    /// The second after the day's last.
    static func end(_ text: String) -> Int64? { Moment.seconds(field: text).map { $0 + 86_400 } }
}
