// A project's navigators and their keys as the API gives them. Of a key, its id: the secret is known to nobody here.

internal import Gateway

package struct NavigatorView: Codable, Equatable, Sendable {
    package struct Key: Codable, Equatable, Sendable {
        package let id: String
        package let note: String?
        package let expires: String?
        /// Of the last request it vouched for, refused ones too; as it was written down last, ten seconds ago at most.
        package let lastUsed: String?

        enum CodingKeys: String, CodingKey {
            case id, note, expires
            case lastUsed = "last_used"
        }
    }

    package let navigator: String
    package let deniedServers: [String]
    package let keys: [Key]

    enum CodingKeys: String, CodingKey {
        case navigator, keys
        case deniedServers = "denied_servers"
    }

    static let shape = Shape.object([
        .needed("navigator", .name), .needed("denied_servers", .list(.name)),
        .needed(
            "keys",
            .list(.object([.needed("id", .name), .optional("note", .text()), .optional("expires", .time), .optional("last_used", .time)]))),
    ])
}

/// `GET …/navigators`.
package struct NavigatorList: Codable, Equatable, Sendable {
    package let navigators: [NavigatorView]

    static let shape = Shape.object([.needed("navigators", .list(NavigatorView.shape))])

    init(navigators: [NavigatorView]) { self.navigators = navigators }

    init(_ project: Project, keys: [KeyEntry], uses: [KeyUse]) {
        let own = Dictionary(grouping: keys) { $0.navigator.name }
        navigators = project.navigators.values.sorted { $0.name < $1.name }.map { navigator in
            NavigatorView(
                navigator: navigator.name.text, deniedServers: navigator.deniedServers.map(\.text).sorted(),
                keys: (own[navigator.name] ?? []).sorted { "\($0.id)" < "\($1.id)" }.map { key in
                    NavigatorView.Key(
                        id: "\(key.id)", note: key.note, expires: key.expires.map(Timestamp.text),
                        lastUsed: uses.first { $0.navigator == navigator.name && $0.key == key.id }.map { Timestamp.text($0.last) })
                })
        }
    }
}
