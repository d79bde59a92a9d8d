// Pages that say why there is nothing else to show, and what to do.

internal import Gateway
internal import HTTPTypes
internal import Hummingbird

struct Notice: Sendable {
    let status: HTTPResponse.Status
    let headline: String
    let lead: String
    let next: String

    static let nothingHere = Notice(
        status: .notFound, headline: "There is nothing here", lead: "The address may have been copied in part.",
        next: "Open the link again, straight from the message you got.")
    static let linkUnknown = Notice(
        status: .notFound, headline: "Open the link once more",
        lead: "This browser does not have the link you came by, or the link was copied in part.",
        next: "Open it again, whole, from the message you got. If that does not help, ask whoever sent it for a new one.")
    static let tooLarge = Notice(
        status: .contentTooLarge, headline: "That was too much", lead: "What was entered is larger than any key we know.",
        next: "Go back and paste the key alone.")
    static let foreignForm = Notice(
        status: .forbidden, headline: "Please do that again",
        lead: "The page was too old, or your browser did not send its cookie along. Nothing was changed.",
        next: "Load the page again and repeat what you did. If this comes back, allow cookies for this site.")
    static let trouble = Notice(
        status: .serviceUnavailable, headline: "Something on our side does not work", lead: "Nothing was changed by what you just did, as far as we know.",
        next: "Try again in a minute. If it stays so, tell whoever runs this gateway; the reason is in its log.")
}

extension Portal {
    func notice(_ notice: Notice, _ place: Place? = nil) -> Response {
        var model: PageModel = [
            "title": notice.headline, "house": place?.house ?? "Claviger", "headline": notice.headline, "lead": notice.lead, "next": notice.next,
        ]
        if let place { model["links"] = [["href": place.base, "label": "Back to the page", "quiet": true] as PageModel] }
        return Page.response(.notice, model, status: notice.status)
    }

    /// The link is no more; whoever finished it is told so kindly.
    func over(_ place: Place, _ state: AuthLink.State, _ visitor: Visitor?) async throws -> Response {
        if state == .spent, case .known(let session, _)? = visitor, let visitor, place.link.admits(session.email) {
            return try await ServersPage(portal: self, place: place, session: session, visitor: visitor).finished()
        }
        let (headline, lead) =
            switch state {
            case .expired: ("This link has ended", "It was good until \(place.link.expires.map { Moment.day($0) } ?? "a day that is past").")
            case .spent: ("This link was used already", "It was made for one person to use once, and that has happened. What was connected stays connected.")
            case .deleted, .active: ("This link was taken back", "Whoever made it has deleted it. What was connected through it stays connected.")
            }
        return Page.response(
            .notice,
            [
                "title": headline, "house": place.house, "headline": headline, "lead": lead,
                "next": "Ask whoever sent you the link for a new one. It takes them a minute.",
            ], status: .gone)
    }

    func whomItIsFor(_ place: Place) -> String {
        switch place.link.restriction {
        case .domains(let domains): "It is for people with an address at \(domains.map { "@\($0)" }.joined(separator: " or "))."
        case .email: "It is for one other person."
        }
    }

    /// The address is proved, and is not one the link is for.
    func notAdmitted(_ place: Place, _ session: PortalSession, _ visitor: Visitor) -> Response {
        return Page.response(
            .notice,
            [
                "title": "This link is not for this address", "house": place.house, "headline": "This link is not for \(session.email.text)", "lead": whomItIsFor(place),
                "next": "If you have another address that it may be for, sign in with that one. Otherwise ask whoever sent it.",
                "leave": "Use another address", "signOut": "\(place.base)/_sign-out", "csrf": Portal.formWord(visitor),
            ], status: .forbidden)
    }

    /// The page where nobody connects anything by himself: the same for any well-formed names, so that it says nothing of what exists.
    func closed(_ request: Request, _ project: ProjectName, _ rest: [String]) -> Response {
        guard request.method == .get || request.method == .head else { return .notAllowed("GET") }
        guard rest.count == 1, let server = rest.first.flatMap({ ServerName($0) }) else { return notice(.nothingHere) }
        return Page.response(
            .notice,
            [
                "title": "Connect \(server)", "house": project.text, "headline": "\(server) is not connected yet",
                "lead": "An agent asked \(server) to do something and needs a key for it first. The agent never sees that key.",
                "next": """
                Ask whoever runs this gateway for a link to connect \(server), or to connect it for you. Send them this page’s address and the email address \
                your agent uses.
                """,
                "operator": """
                Make a link in the administration pages, give the project a `connect` section, or set the key on its machine, as FIELD=VALUE lines on \
                standard input (without --user where one key serves everybody):
                """,
                "command": "claviger credential set --project \(project) --server \(server) --user EMAIL",
                "promise": "Keys are kept encrypted, apart from everything else. Nobody can read them back.",
            ])
    }
}
