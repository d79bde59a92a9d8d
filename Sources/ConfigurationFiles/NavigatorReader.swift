// One navigator of a project: its keys, for whom they speak, and what they may not reach.

internal import Gateway
internal import TLS

struct NavigatorReader {
    let reading: Reading
    let project: ProjectName
    let instances: [ServerInstance]
    /// The names under the project's `servers`, the wrong ones too.
    let instanceNames: Set<String>

    struct Found {
        let navigator: Navigator
        let keys: [(entry: KeyEntry, position: Position)]
    }

    func navigator(_ entry: Tree.Entry) -> Found? {
        guard let name = NavigatorName(entry.key) else {
            reading.error(entry.position, NameRule.sentence("a navigator", entry.key))
            return nil
        }
        guard let section = Section(entry.value, at: "projects.*.navigators.*", named: "projects.\(project).navigators.\(name)", reading) else { return nil }
        let (users, token) = users(section, entry)
        let denied = deniedServers(section)
        let reachable = instances.filter { !denied.contains($0.name) }
        let navigator = Navigator(
            project: project, name: name, users: users, token: token, deniedServers: denied, rate: section.rate("rate")?.value,
            reachable: NameTable(reachable.map { ($0.name.text, $0) }))
        let written = section.list("keys") ?? []
        if written.isEmpty, !section.has("keys") || section.tree("keys")?.kind == "a list" {
            reading.warning(entry.position, "navigator `\(name)` has no keys: nobody can call as it; `claviger key new` makes one")
        }
        return Found(navigator: navigator, keys: written.compactMap { key($0, of: navigator) })
    }

    // MARK: Keys

    private func key(_ tree: Tree, of navigator: Navigator) -> (entry: KeyEntry, position: Position)? {
        guard let section = Section(tree, at: "projects.*.navigators.*.keys[]", named: "keys[]", reading) else { return nil }
        for key in ["id", "sha256"] where !section.has(key) {
            reading.error(tree.position, "a key needs `\(key)`: \(section.declared(key).form.words); `claviger key new` prints the whole line")
        }
        let digest = section.line("sha256").flatMap(digest)
        let expires = section.time("expires")
        let note = section.line("note")?.text
        guard let scalar = section.line("id") else { return nil }
        guard let id = APIKeyID(scalar.text) else { return section.wrong("id", scalar) }
        if let expires, expires <= reading.wallClock {
            reading.warning(section.position(of: "expires"), "key `\(id)` has expired; take it out, or make another with `claviger key new`")
        }
        guard let digest else { return nil }
        return (KeyEntry(id: id, sha256: digest, expires: expires, note: note, navigator: navigator), scalar.position)
    }

    /// What stands here is never repeated: it may be the secret itself.
    private func digest(_ scalar: Scalar) -> Digest256? {
        if let digest = Digest256(hexadecimal: scalar.text) { return digest }
        let looksSecret = scalar.text.utf8.count == 43 || scalar.text.hasPrefix("ck_")
        reading.error(
            scalar.position,
            looksSecret
                ? "`sha256` must be 64 hexadecimal digits; this looks like the key's secret itself: make a new key with `claviger key new` and write what it prints"
                : "`sha256` must be 64 hexadecimal digits: the SHA-256 of the secret's text, as `claviger key new` prints it")
        return nil
    }

    // MARK: Users

    private func users(_ section: Section, _ entry: Tree.Entry) -> (policy: UserPolicy, token: UserTokenRule?) {
        guard section.has("users") else {
            reading.warning(entry.position, "navigator `\(entry.key)` has no `users`: its keys speak for every address; name domains or emails")
            return (.everyone, nil)
        }
        let nobody = UserPolicy.only(domains: [], emails: [])
        guard let users = section.section("users") else { return (nobody, nil) }
        let token = users.section("token").flatMap { UserTokenReader(reading: reading).rule($0) }
        guard users.has("domains") || users.has("emails") else {
            // For whom the issuer vouches, the key speaks.
            if users.has("token") { return (.everyone, token) }
            reading.error(section.position(of: "users"), "`users` names nobody; write `domains`, `emails` or `token`, or take it out to allow every address")
            return (nobody, nil)
        }
        let addresses = AddressReader(reading: reading)
        let domains = addresses.domains(users, "domains") ?? []
        let emails = addresses.emails(users, "emails", wholeDomains: true) ?? []
        return (.only(domains: Set(domains.map(\.text)), emails: Set(emails.map(\.text))), token)
    }

    // MARK: Denied

    private func deniedServers(_ section: Section) -> Set<ServerName> {
        var denied: Set<ServerName> = []
        for scalar in section.section("deny")?.texts("servers") ?? [] {
            guard instanceNames.contains(scalar.text), let name = ServerName(scalar.text) else {
                reading.error(scalar.position, "project `\(project)` has no server \(scalar.text.quoted) to deny\(remedy(for: scalar.text, among: instanceNames))")
                continue
            }
            denied.insert(name)
        }
        return denied
    }
}
