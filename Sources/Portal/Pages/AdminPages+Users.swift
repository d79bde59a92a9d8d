// A project's users on the administrators' pages: who is connected to what, revoked server by server, deleted.

internal import Credentials
internal import Gateway
internal import HTTPTypes
internal import Hummingbird

extension AdminPages {
    func users(_ request: Request) async throws -> Response {
        let asked = request.uri.queryParameters
        var query = UserQuery(project: project.name, limit: 51)
        query.prefix = UserQuery.folded(asked["find"].map { String($0) } ?? "")
        query.after = asked["after"].flatMap { UserEmail(String($0)) }
        let people = try await portal.state.users(query, at: now)
        let census = try await portal.census(query, in: project)
        let connections = try await portal.connections(in: project, of: people.map(\.email))
        let instances = project.instances.values.filter { $0.level == .user && $0.needsDeposit && $0.status == .active }.sorted { $0.words < $1.words }
        let hasColumns = instances.count <= AdminPages.mostColumns
        let all: [PageModel] = people.map { person in
            let found = connections.of(person.email, in: project)
            let states = instances.map { instance in found.first { $0.instance.name == instance.name }?.state ?? .missing }
            return [
                "href": "\(base)/users/\(AdminPages.encoded(person.email.text))", "email": person.email.text, "calls": AdminPages.grouped(person.calls),
                "active": person.lastSeen > 0 ? Moment.ago(person.lastSeen, now: now) : "never",
                "cells": hasColumns ? states.map(AdminPages.mark) : [AdminPages.summary(states)],
            ]
        }
        let rows = Array(all.prefix(PageRoom.count(of: all, markup: 160)))
        let isMore = rows.count < people.count
        let link = "\(base)/users?" + (query.prefix.isEmpty ? "" : "find=\(AdminPages.encoded(query.prefix))&")
        let shown = people.prefix(rows.count)
        var model = model(.users, "Users")
        model.merge([
            "lead": lead(census), "columns": hasColumns ? instances.map(\.words) : ["Connected"], "rows": rows, "hasRows": !rows.isEmpty,
            "hasUsers": census.all > 0, "find": query.prefix, "isFound": !query.prefix.isEmpty,
            "found": query.prefix.isEmpty ? "" : AdminPages.count(census.matching, "address begins so.", "addresses begin so."),
            "pager": PageRoom.pager(
                first: query.after == nil ? nil : String(link.dropLast()), next: isMore ? "\(link)after=\(AdminPages.encoded(shown.last?.email.text ?? ""))" : nil,
                words: shown.isEmpty ? "" : "From \(shown.first?.email.text ?? "") to \(shown.last?.email.text ?? "").") ?? false,
        ]) { $1 }
        return Page.response(.adminUsers, model)
    }

    /// Servers that have a column each; where there are more, a word says how many are connected.
    private static let mostColumns = 5

    private func lead(_ census: UserCensus) -> String {
        let needs = census.needy == 0 ? "Nobody needs to reconnect anything." : "\(AdminPages.grouped(census.needy)) \(census.needy == 1 ? "needs" : "need") to reconnect something."
        return "\(AdminPages.count(census.all, "person", "people")), \(AdminPages.grouped(census.recent)) of them active this week. \(needs)"
    }

    /// Of many servers: how many are connected, marked where one needs somebody.
    private static func summary(_ states: [Connection]) -> PageModel {
        let words = "\(states.count { $0 == .connected }) of \(states.count)"
        if states.contains(.rejected) || states.contains(.moved) { return mark("\(words), reconnect", "warn", "isTurn") }
        return states.contains(.connected) ? mark(words, "ok", "isDisc") : mark(words, "todo", "isRing")
    }

    func user(_ encoded: String) async throws -> Response {
        guard let email = UserEmail(AdminPages.decoded(encoded)) else { return portal.notice(.nothingHere) }
        let connections = try await portal.connections(in: project, of: [email])
        let record = try await portal.state.user(email, of: project.name, at: now)
        let deposits = connections.deposits(of: email)
        guard record != nil || !deposits.isEmpty else { return portal.notice(.nothingHere) }
        let found = connections.of(email, in: project)
        var rows: [PageModel] = found.map { connection in
            [
                "title": connection.instance.words, "icon": connection.instance.iconPath ?? false, "name": connection.instance.name.text, "since": connection.deposit.map { Moment.day($0.updatedAt) } ?? "",
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
            "lead": record.map {
                "First seen \(Moment.day($0.firstSeen)), last active \(Moment.ago($0.lastSeen, now: now)), \(AdminPages.grouped($0.calls)) calls in 7 days."
            } ?? "Not seen yet.",
        ]) { $1 }
        return Page.response(.adminUser, model)
    }

    func userDeletion(_ encoded: String) async throws -> Response {
        guard let email = UserEmail(AdminPages.decoded(encoded)) else { return portal.notice(.nothingHere) }
        let names = try await portal.connections(in: project, of: [email]).deposits(of: email).map { project.instance($0.server)?.words ?? $0.server.text }
        let lost =
            names.isEmpty
            ? "They have nothing connected."
            : "Everything they connected is deleted: \(names.joined(separator: ", ")). Agents can no longer use it for them."
        return confirm(
            .users, "Delete \(email.text)?",
            "\(lost) They are signed out, and what is known of their use is forgotten. They may come back by a link.",
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
}
