// Where a person stands: at a link he was sent, or at a project's standing link.

internal import Gateway
internal import HTTPTypes
internal import Hummingbird

struct Place: Sendable {
    let link: AuthLink
    let project: Project
    /// The path that everything of it begins with.
    let base: String

    /// What people read for the project.
    var house: String { project.title ?? project.name.text }

    func path(_ server: ServerName) -> String { "\(base)/\(server)" }

    /// Whose the link's credentials are, for a sentence.
    var isShared: Bool { link.level == .project }
}

/// Who is at the other end of a request.
enum Visitor: Sendable {
    /// Has proved an address.
    case known(PortalSession, SessionToken)
    /// Has not, in this browser.
    case stranger(VisitToken)

    /// What the browser's own secret is: forms carry a word derived from it.
    var secret: String {
        switch self {
        case .known(_, let token): token.text
        case .stranger(let token): token.text
        }
    }
}

/// In the cookie of who has not signed in yet.
typealias VisitToken = Token<VisitTokenKind>

enum VisitTokenKind: TokenKind {
    static let prefix = "cv_"
}
