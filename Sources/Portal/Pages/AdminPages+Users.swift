// A project's users on the administrators' pages: who is connected to what, revoked server by server, deleted.

internal import Credentials
internal import Gateway
internal import HTTPTypes
internal import Hummingbird

extension AdminPages {
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
        let needs = needy == 0 ? "Nobody needs to reconnect anything." : "\(needy) \(needy == 1 ? "needs" : "need") to reconnect something."
        var model = model(.users, "Users")
        model.merge([
            "lead": "\(AdminPages.count(people.count, "person", "people")), \(week) of them active this week. \(needs)",
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
            "lead": record.map {
                "First seen \(Moment.day($0.firstSeen)), last active \(Moment.ago($0.lastSeen, now: now)), \(AdminPages.grouped($0.calls)) calls in 7 days."
            } ?? "Not seen yet.",
        ]) { $1 }
        return Page.response(.adminUser, model)
    }

    func userDeletion(_ encoded: String) async throws -> Response {
        guard let email = UserEmail(AdminPages.decoded(encoded)) else { return portal.notice(.nothingHere) }
        let names = try await portal.connections(in: project).deposits(of: email).map { project.instance($0.server)?.words ?? $0.server.text }
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

extension Portal {
    /// Who was seen in a project, and who only has something connected.
    func people(of project: Project, at now: Int64) async throws -> [UserRecord] {
        let seen = try await state.users(of: project.name, at: now)
        let known = Set(seen.map(\.email))
        let others = try await connections(in: project).users.filter { !known.contains($0) }
        return (seen + others.map { UserRecord(email: $0, firstSeen: 0, lastSeen: 0, calls: 0) }).sorted { $0.email.text < $1.email.text }
    }
}
