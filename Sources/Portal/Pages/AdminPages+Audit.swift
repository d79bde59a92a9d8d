// The audit on the administrators' pages, filtered and page by page.

internal import Credentials
internal import Gateway
internal import HTTPTypes
internal import Hummingbird

extension AdminPages {
    func audit(_ request: Request) async throws -> Response {
        let asked = request.uri.queryParameters
        func text(_ name: String) -> String { asked[name[...]].map { String($0) } ?? "" }
        var query = AuditQuery(project: project.name, limit: 51)
        query.user = UserEmail(text("user"))
        query.action = AuditAction(rawValue: text("action"))
        query.server = ServerName(text("server"))
        query.before = Int64(text("before"))
        let found = try await portal.state.audit(query)
        let all: [PageModel] = found.map { row in
            let entry = row.entry
            return [
                "when": Moment.minute(entry.time), "actor": AdminPages.words(of: entry.actor), "action": AdminPages.words(of: entry.action), "detail": entry.detail ?? false,
                "user": entry.user?.text ?? "", "server": entry.server.map { project.instance($0)?.words ?? $0.text } ?? "", "source": entry.source ?? "",
            ]
        }
        let rows = Array(all.prefix(PageRoom.count(of: all, markup: 110)))
        var model = model(.audit, "Audit")
        let actions: [PageModel] = AuditAction.allCases.map { ["value": $0.rawValue, "label": AdminPages.words(of: $0), "chosen": $0 == query.action] }
        let servers: [PageModel] = project.instances.values.map { ["value": $0.name.text, "label": $0.words, "chosen": $0.name == query.server] }
        model.merge([
            "keep": "\(portal.snapshot().audit.keep.components.seconds / 86_400) days", "user": text("user"), "actions": actions, "servers": servers, "rows": rows,
            "hasRows": !rows.isEmpty, "namesServers": servers.count <= 25, "server": text("server"),
        ]) { $1 }
        if !text("user").isEmpty, query.user == nil { model["problem"] = "“\(text("user"))” is not an email address: everybody is shown." }
        let pairs = [("user", query.user?.text), ("action", query.action?.rawValue), ("server", query.server?.text)]
        let filter = pairs.compactMap { name, value in value.map { "\(name)=\(AdminPages.encoded($0))" } }
        let last = rows.count < found.count ? found.prefix(rows.count).last : nil
        model["pager"] =
            PageRoom.pager(
                first: query.before == nil ? nil : (["\(base)/audit"] + (filter.isEmpty ? [] : [filter.joined(separator: "&")])).joined(separator: "?"),
                next: last.map { "\(base)/audit?" + (filter + ["before=\($0.number)"]).joined(separator: "&") },
                words: rows.isEmpty ? "" : "The newest first.") ?? false
        return Page.response(.adminAudit, model)
    }

    static func words(of actor: AuditActor) -> String {
        switch actor {
        case .person(let email): email.text
        case .uid(let uid): "admin.sock, uid \(uid)"
        case .token(let id): "API token \(id)"
        case .gateway: "the gateway"
        }
    }

    static func words(of action: AuditAction) -> String {
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
}
