// The administrators' pages of one project, and the list of projects: read from the configuration and the database, never a secret.

internal import Credentials
internal import Gateway
internal import HTTPTypes
internal import Hummingbird
internal import Kernel

extension Portal {
    func administrationPage(_ request: Request, _ path: [String], _ visitor: Visitor, _ session: PortalSession) async throws -> Response {
        let projects = administered(by: session.email)
        guard !projects.isEmpty else { return notAnAdministrator(session, visitor) }
        guard let first = path.first else { return try await AdminPages.projects(projects, self, session, visitor) }
        guard let project = projects.first(where: { $0.name.text == first }) else { return notice(.nothingHere) }
        let pages = AdminPages(portal: self, project: project, session: session, visitor: visitor, told: request.uri.queryParameters["did"].map { String($0) })
        switch (path.count, path.dropFirst().first) {
        case (1, _): return .seeOther("\(pages.base)/users")
        case (2, "links"): return try await pages.links()
        case (3, "links") where path[2] == "new": return pages.linkForm()
        case (3, "links"): return try await pages.link(path[2])
        case (4, "links"): return try await pages.linkChange(path[2], path[3])
        case (2, "users"): return try await pages.users()
        case (3, "users"): return try await pages.user(path[2])
        case (4, "users") where path[3] == "delete": return try await pages.userDeletion(path[2])
        case (5, "users") where path[3] == "revoke": return try await pages.userRevocation(path[2], path[4])
        case (2, "servers"): return try await pages.servers()
        case (2, "navigators"): return pages.navigators()
        case (2, "audit"): return try await pages.audit(request)
        default: return notice(.nothingHere)
        }
    }

    private func notAnAdministrator(_ session: PortalSession, _ visitor: Visitor) -> Response {
        Page.response(
            .notice,
            [
                "title": "Not an administrator", "house": "Claviger", "headline": "\(session.email.text) administers nothing here",
                "lead": "The configuration names nobody of this address among the administrators.",
                "next": "Sign in with another address, or ask whoever runs this gateway to add yours to `portal.admins` or a project’s `admins`.",
                "leave": "Use another address", "signOut": "/admin/_sign-out", "csrf": Portal.formWord(visitor),
            ], status: .forbidden)
    }
}

struct AdminPages: Sendable {
    let portal: Portal
    let project: Project
    let session: PortalSession
    let visitor: Visitor
    /// What was just done, by the word that the redirect carried.
    var told: String?

    var base: String { "/admin/\(project.name)" }
    var now: Int64 { portal.wallClock() }

    enum Tab: String, CaseIterable { case users, links, servers, navigators, audit }

    /// What every page of a project has.
    func model(_ tab: Tab, _ title: String) -> PageModel {
        let tabs: [PageModel] = Tab.allCases.map { ["href": "\(base)/\($0.rawValue)", "label": Card.readable($0.rawValue), "here": $0 == tab] }
        let told = told.flatMap { AdminPages.words[$0] }
        return [
            "title": title, "house": project.title ?? project.name.text, "project": true, "who": session.email.text, "csrf": Portal.formWord(visitor),
            "hasTabs": true, "tabs": tabs, "base": base, "told": told ?? false, "toldWords": false, "problem": false, "problemWords": false,
        ]
    }

    /// By what redirects carry; anything else says nothing.
    private static let words = [
        "edited": "The link is changed.", "deleted": "The link is deleted. What people connected through it stays connected.",
        "revoked": "It is revoked: agents can no longer use it.", "forgotten": "The user is deleted, with everything they had connected.",
    ]

    static func projects(_ projects: [Project], _ portal: Portal, _ session: PortalSession, _ visitor: Visitor) async throws -> Response {
        var rows: [PageModel] = []
        let now = portal.wallClock()
        for project in projects {
            let people = try await portal.people(of: project, at: now)
            let links = try await portal.state.links(of: project.name)
            rows.append([
                "name": project.name.text, "title": project.title ?? project.name.text, "servers": project.instances.values.count,
                "navigators": project.navigators.count, "people": people.count, "links": links.count { $0.link.state(at: now) == .active },
            ])
        }
        return Page.response(
            .adminProjects,
            [
                "title": "Projects", "house": "Claviger", "project": false, "who": session.email.text, "csrf": Portal.formWord(visitor), "hasTabs": false,
                "told": false, "problem": false, "lead": projects.count == 1 ? "One project is yours to administer." : "\(projects.count) projects are yours to administer.",
                "rows": rows, "hasRows": !rows.isEmpty,
            ])
    }

    // MARK: Users

    func users() async throws -> Response {
        let instances = project.instances.values.filter { $0.level == .user && $0.needsDeposit && $0.status == .active }.sorted { $0.words < $1.words }
        let connections = try await portal.connections(in: project)
        let people = try await portal.people(of: project, at: now)
        var needy = 0
        let rows: [PageModel] = people.map { person in
            let found = connections.of(person.email, in: project)
            if found.contains(where: { $0.state == .rejected || $0.state == .moved }) { needy += 1 }
            return [
                "href": "\(base)/users/\(AdminPages.encoded(person.email.text))", "email": person.email.text, "calls": AdminPages.grouped(person.calls),
                "active": person.lastSeen > 0 ? Moment.ago(person.lastSeen, now: now) : "never",
                "cells": instances.map { instance in AdminPages.mark(found.first { $0.instance.name == instance.name }?.state ?? .missing) },
            ]
        }
        let week = people.count { $0.lastSeen > now - 7 * 86_400 }
        var model = model(.users, "Users")
        model.merge([
            "lead": "\(AdminPages.count(people.count, "person", "people")), \(week) of them active this week. \(needy == 0 ? "Nobody needs to reconnect anything." : "\(needy) \(needy == 1 ? "needs" : "need") to reconnect something.")",
            "columns": instances.map(\.words), "rows": rows, "hasRows": !rows.isEmpty,
        ]) { $1 }
        return Page.response(.adminUsers, model)
    }

    func user(_ encoded: String) async throws -> Response {
        guard let email = UserEmail(AdminPages.decoded(encoded)) else { return portal.notice(.nothingHere) }
        let connections = try await portal.connections(in: project)
        let record = try await portal.state.user(email, of: project.name, at: now)
        let deposits = connections.deposits(of: email)
        guard record != nil || !deposits.isEmpty else { return portal.notice(.nothingHere) }
        let found = connections.of(email, in: project)
        var rows: [PageModel] = found.map { connection in
            [
                "title": connection.instance.words, "name": connection.instance.name.text, "since": connection.deposit.map { Moment.day($0.updatedAt) } ?? "",
                "revocable": connection.state != .missing,
            ].merging(AdminPages.mark(connection.state)) { $1 }
        }
        // What is stored for servers that are gone, or of the other level now, can be revoked, too.
        for deposit in deposits where !found.contains(where: { $0.instance.name == deposit.server }) {
            rows.append(
                [
                    "title": "\(deposit.server) (not offered now)", "name": deposit.server.text, "since": Moment.day(deposit.updatedAt), "revocable": true,
                ].merging(AdminPages.mark("Stored", "todo", "isDisc")) { $1 })
        }
        var model = model(.users, email.text)
        let href = "\(base)/users/\(AdminPages.encoded(email.text))"
        for index in rows.indices { rows[index]["href"] = href }
        model.merge([
            "email": email.text, "href": href, "rows": rows,
            "lead": record.map { "First seen \(Moment.day($0.firstSeen)), last active \(Moment.ago($0.lastSeen, now: now)), \(AdminPages.grouped($0.calls)) calls in 7 days." } ?? "Not seen yet.",
        ]) { $1 }
        return Page.response(.adminUser, model)
    }

    func userDeletion(_ encoded: String) async throws -> Response {
        guard let email = UserEmail(AdminPages.decoded(encoded)) else { return portal.notice(.nothingHere) }
        let names = try await portal.connections(in: project).deposits(of: email).map { project.instance($0.server)?.words ?? $0.server.text }
        return confirm(
            .users, "Delete \(email.text)?",
            "\(names.isEmpty ? "They have nothing connected." : "Everything they connected is deleted: \(names.joined(separator: ", ")). Agents can no longer use it for them.") They are signed out, and what is known of their use is forgotten. They may come back by a link.",
            "Delete", "\(base)/users/\(encoded)/delete", "\(base)/users/\(encoded)")
    }

    func userRevocation(_ encoded: String, _ server: String) async throws -> Response {
        guard let email = UserEmail(AdminPages.decoded(encoded)), let name = ServerName(server) else { return portal.notice(.nothingHere) }
        let title = project.instance(name)?.words ?? name.text
        return confirm(
            .users, "Revoke \(title) for \(email.text)?",
            "What they connected for \(title) is deleted at once and for good. Agents can no longer use it for them until they connect it again.", "Revoke",
            "\(base)/users/\(encoded)/revoke/\(name)", "\(base)/users/\(encoded)")
    }

    func confirm(_ tab: Tab, _ headline: String, _ words: String, _ button: String, _ action: String, _ cancel: String, isDanger: Bool = true) -> Response {
        var model = model(tab, headline)
        model.merge(["headline": headline, "words": words, "button": button, "action": action, "cancel": cancel, "tone": isDanger ? "danger" : ""]) { $1 }
        return Page.response(.adminConfirm, model)
    }

    // MARK: Servers, navigators

    func servers() async throws -> Response {
        let connections = try await portal.connections(in: project)
        let people = connections.users
        let rows: [PageModel] = project.instances.values.sorted { $0.words < $1.words }.map { instance in
            let method =
                switch instance.server.injector {
                case _ where instance.server.oauth != nil: "OAuth"
                case .header: "Header"
                case .path: "Path"
                case .query: "Query"
                case .none: "None needed"
                }
            var connected = ""
            if instance.needsDeposit, instance.level == .user {
                let count = people.count { email in connections.of(email, in: project).contains { $0.instance.name == instance.name && $0.state == .connected } }
                connected = count == 0 ? "Nobody yet" : AdminPages.count(count, "person", "people")
            } else if instance.needsDeposit {
                connected = AdminPages.word(connections.of(nil, in: project).first { $0.instance.name == instance.name }?.state ?? .missing)
            }
            return [
                "title": instance.words, "origin": "\(instance.server.origin)", "method": method,
                "level": instance.needsDeposit ? (instance.level == .user ? "Each user’s own" : "One for all") : "", "connected": connected,
            ].merging(instance.status == .active ? AdminPages.mark("Active", "ok", "isDisc") : AdminPages.mark("Paused", "warn", "isPause")) { $1 }
        }
        var model = model(.servers, "Servers")
        model.merge(["lead": "What this project’s agents may reach. Servers are set in the configuration.", "rows": rows]) { $1 }
        return Page.response(.adminServers, model)
    }

    func navigators() -> Response {
        let keys = Dictionary(grouping: portal.snapshot().keys.values.filter { $0.navigator.project == project.name }) { $0.navigator.name }
        let navigators: [PageModel] = project.navigators.values.sorted { $0.name < $1.name }.map { navigator in
            let own: [KeyEntry] = (keys[navigator.name] ?? []).sorted { "\($0.id)" < "\($1.id)" }
            let rows: [PageModel] = own.map { key in
                let isOver = key.expires.map { $0 <= now } ?? false
                return [
                    "id": "\(key.id)", "note": key.note ?? "", "expires": key.expires.map { isOver ? Moment.day($0) : "\(Moment.day($0)), \(Moment.until($0, now: now))" } ?? "Never",
                ].merging(isOver ? AdminPages.mark("Expired", "bad", "isCross") : AdminPages.mark("Good", "ok", "isDisc")) { $1 }
            }
            let speaks =
                switch navigator.users {
                case .everyone: "Its keys speak for every address."
                case .only(let domains, let emails):
                    "Its keys speak for \((domains.sorted().map { "@\($0)" } + emails.sorted()).joined(separator: ", "))."
                }
            return [
                "name": navigator.name.text, "speaks": speaks, "denied": navigator.deniedServers.isEmpty ? false : navigator.deniedServers.map(\.text).sorted().joined(separator: ", "),
                "keys": rows, "hasKeys": !rows.isEmpty,
            ]
        }
        var model = model(.navigators, "Navigators")
        model.merge([
            "lead": navigators.isEmpty ? "No agent may call in this project yet: the configuration names none." : "The agents’ deployments and their keys. Of a key only its fingerprint is known here; `claviger key new` makes one.",
            "navigators": navigators,
        ]) { $1 }
        return Page.response(.adminNavigators, model)
    }

    // MARK: Audit

    func audit(_ request: Request) async throws -> Response {
        let asked = request.uri.queryParameters
        func text(_ name: String) -> String { asked[name[...]].map { String($0) } ?? "" }
        var query = AuditQuery(project: project.name, limit: 51)
        query.user = UserEmail(text("user"))
        query.action = AuditAction(rawValue: text("action"))
        query.server = ServerName(text("server"))
        query.before = Int64(text("before"))
        let found = try await portal.state.audit(query)
        let rows: [PageModel] = found.prefix(50).map { row in
            let entry = row.entry
            return [
                "when": Moment.minute(entry.time), "actor": AdminPages.words(of: entry.actor), "action": AdminPages.words(of: entry.action), "detail": entry.detail ?? false,
                "user": entry.user?.text ?? "", "server": entry.server.map { project.instance($0)?.words ?? $0.text } ?? "", "source": entry.source ?? "",
            ]
        }
        var model = model(.audit, "Audit")
        let actions: [PageModel] = AuditAction.allCases.map { ["value": $0.rawValue, "label": AdminPages.words(of: $0), "chosen": $0 == query.action] }
        let servers: [PageModel] = project.instances.values.map { ["value": $0.name.text, "label": $0.words, "chosen": $0.name == query.server] }
        model.merge([
            "keep": "\(portal.snapshot().audit.keep.components.seconds / 86_400) days", "user": text("user"), "actions": actions, "servers": servers, "rows": rows,
            "hasRows": !rows.isEmpty, "older": false,
        ]) { $1 }
        if !text("user").isEmpty, query.user == nil { model["problem"] = "“\(text("user"))” is not an email address: everybody is shown." }
        if found.count > 50, let last = found.prefix(50).last {
            let pairs = [("user", query.user?.text), ("action", query.action?.rawValue), ("server", query.server?.text), ("before", "\(last.number)")]
            model["older"] = "\(base)/audit?" + pairs.compactMap { name, value in value.map { "\(name)=\(AdminPages.encoded($0))" } }.joined(separator: "&")
        }
        return Page.response(.adminAudit, model)
    }

    private static func words(of actor: AuditActor) -> String {
        switch actor {
        case .person(let email): email.text
        case .uid(let uid): "admin.sock, uid \(uid)"
        case .token(let id): "API token \(id)"
        case .gateway: "the gateway"
        }
    }

    private static func words(of action: AuditAction) -> String {
        switch action {
        case .deposit: "Connected"
        case .replacement: "Replaced"
        case .revocation: "Disconnected"
        case .signIn: "Signed in"
        case .signOut: "Signed out"
        case .signInLink: "One-time sign-in made"
        case .linkCreated: "Link made"
        case .linkEdited: "Link changed"
        case .linkRenewed: "Link renewed"
        case .linkDeleted: "Link deleted"
        case .linkSpent: "Link finished"
        case .userDeleted: "User deleted"
        case .tokenCreated: "Token made"
        case .tokenRevoked: "Token revoked"
        case .credentialsExported: "Exported"
        case .credentialsImported: "Imported"
        case .backup: "Backed up"
        case .reload: "Configuration changed"
        }
    }

    // MARK: Words and marks

    static func mark(_ state: Connection) -> PageModel {
        switch state {
        case .connected: mark("Connected", "ok", "isDisc")
        case .rejected: mark("Refused", "bad", "isCross")
        case .moved: mark("Reconnect", "warn", "isTurn")
        case .missing: mark("Not yet", "todo", "isRing")
        }
    }

    private static func word(_ state: Connection) -> String {
        switch state {
        case .connected: "Connected"
        case .rejected: "Refused"
        case .moved: "Reconnect"
        case .missing: "Not yet"
        }
    }

    static func mark(_ word: String, _ tone: String, _ shape: String) -> PageModel {
        var model: PageModel = ["state": word, "tone": tone]
        for each in ["isDisc", "isRing", "isTurn", "isCross", "isPause"] { model[each] = each == shape }
        return model
    }

    static func count(_ number: Int, _ one: String, _ many: String) -> String { number == 1 ? "1 \(one)" : "\(grouped(number)) \(many)" }

    /// `1,204`.
    static func grouped(_ number: Int) -> String {
        var text = ""
        for (place, digit) in String(number).reversed().enumerated() {
            if place > 0, place % 3 == 0 { text = ",\(text)" }
            text = "\(digit)\(text)"
        }
        return text
    }

    /// For a path's step or a query's value.
    static func encoded(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var out: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"): out.append(byte)
            default: out += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    static func decoded(_ text: String) -> String { FormBody(Array("x=\(text.replacing("+", with: "%2B"))".utf8).span.raw).text("x") }
}

extension Portal {
    /// Who was seen in a project, and who only has something connected.
    func people(of project: Project, at now: Int64) async throws -> [UserRecord] {
        let seen = try await state.users(of: project.name, at: now)
        let known = Set(seen.map(\.email))
        let others = try await connections(in: project).users.filter { !known.contains($0) }
        return (seen + others.map { UserRecord(email: $0, firstSeen: 0, lastSeen: 0, calls: 0) }).sorted { $0.email.text < $1.email.text }
    }
}
