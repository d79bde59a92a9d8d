// What a project's configuration has, on the administrators' pages: its servers, its navigators and their keys.

internal import Credentials
internal import Gateway
internal import HTTPTypes
internal import Hummingbird

extension AdminPages {
    func servers() async throws -> Response {
        let connections = try await portal.connections(in: project)
        var counts: [ServerName: Int] = [:]
        for email in connections.users {
            for connection in connections.of(email, in: project) where connection.state == .connected { counts[connection.instance.name, default: 0] += 1 }
        }
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
                let count = counts[instance.name] ?? 0
                connected = count == 0 ? "Nobody yet" : AdminPages.count(count, "person", "people")
            } else if instance.needsDeposit {
                connected = AdminPages.word(connections.of(nil, in: project).first { $0.instance.name == instance.name }?.state ?? .missing)
            }
            return [
                "title": instance.words, "icon": instance.iconPath ?? false, "origin": "\(instance.server.origin)", "method": method,
                "level": instance.needsDeposit ? (instance.level == .user ? "Each user’s own" : "One for all") : "", "connected": connected,
            ].merging(instance.status == .active ? AdminPages.mark("Active", "ok", "isDisc") : AdminPages.mark("Paused", "warn", "isPause")) { $1 }
        }
        var model = model(.servers, "Servers")
        model.merge(["lead": "What this project’s agents may reach. Servers are set in the configuration.", "rows": rows]) { $1 }
        return Page.response(.adminServers, model)
    }

    func navigators() async throws -> Response {
        let uses = try await portal.state.keyUses(of: project.name)
        let keys = Dictionary(grouping: portal.snapshot().keys.values.filter { $0.navigator.project == project.name }) { $0.navigator.name }
        let navigators: [PageModel] = project.navigators.values.sorted { $0.name < $1.name }.map { navigator in
            let own: [KeyEntry] = (keys[navigator.name] ?? []).sorted { "\($0.id)" < "\($1.id)" }
            let rows: [PageModel] = own.map { key in
                let isOver = key.expires.map { $0 <= now } ?? false
                let use = uses.first { $0.navigator == navigator.name && $0.key == key.id }
                return [
                    "used": use.map { Moment.ago($0.last, now: now) } ?? "Not yet", "id": "\(key.id)", "note": key.note ?? "", "expires": key.expires.map { isOver ? Moment.day($0) : "\(Moment.day($0)), \(Moment.until($0, now: now))" } ?? "Never",
                ].merging(isOver ? AdminPages.mark("Expired", "bad", "isCross") : AdminPages.mark("Good", "ok", "isDisc")) { $1 }
            }
            let speaks =
                switch navigator.users {
                case .everyone: navigator.token == nil ? "Its keys speak for every address." : "Its keys speak for whomever a token names."
                case .only(let domains, let emails):
                    "Its keys speak for \((domains.sorted().map { "@\($0)" } + emails.sorted()).joined(separator: ", "))."
                }
            return [
                "name": navigator.name.text, "speaks": speaks + (navigator.token.map { " Its users come in signed tokens of \($0.issuer)." } ?? ""), "denied": navigator.deniedServers.isEmpty ? false : navigator.deniedServers.map(\.text).sorted().joined(separator: ", "),
                "keys": rows, "hasKeys": !rows.isEmpty,
            ]
        }
        var model = model(.navigators, "Navigators")
        model.merge([
            "lead": navigators.isEmpty
                ? "No agent may call in this project yet: the configuration names none."
                : "The agents’ deployments and their keys. Of a key only its fingerprint is known here; claviger key new makes one.",
            "navigators": navigators,
        ]) { $1 }
        return Page.response(.adminNavigators, model)
    }
}
