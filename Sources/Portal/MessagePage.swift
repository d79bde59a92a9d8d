// A page that says one thing: what happened at the provider, and what to do now.

internal import Gateway
internal import HTTPTypes
internal import Hummingbird
internal import OAuth

struct MessagePage {
    let title: String
    let lead: String
    let advice: String
    /// Where the person came from.
    var back: String?

    static let spent = MessagePage(
        title: "This page opens once", lead: "It was opened before, or ten minutes have passed.",
        advice: "Ask whoever sent it to you for a new one.")

    static func connected(_ server: String, _ user: UserEmail?) -> MessagePage {
        MessagePage(
            title: "\(server) is connected",
            lead: user.map { "Agents may now use \(server) for \($0.text). They never see your sign-in." } ?? "Agents may now use \(server) for everybody in the project.",
            advice: "You can close this window.")
    }
}

extension MessagePage {
    init(_ fault: ConnectFault, _ server: String) {
        switch fault {
        case .unknown:
            self.init(
                title: "This sign-in cannot be finished", lead: "It was begun in another browser, finished before, or too long ago.",
                advice: "Begin again, and stay in one browser window until you are back here.")
        case .declined:
            self.init(title: "\(server) is not connected", lead: "The sign-in there was declined.", advice: "If that was not on purpose, begin again.")
        case .mixedUp:
            self.init(
                title: "\(server) is not connected", lead: "An answer came in the name of another service. Nothing was saved.",
                advice: "Do not try again; tell whoever runs this gateway.")
        case .notAllowed(let why): self.init(title: "\(server) is not connected", lead: why, advice: "Ask whoever sent you here.")
        case .provider:
            self.init(
                title: "\(server) cannot be connected", lead: "It is not set up rightly here, or it refused this gateway.",
                advice: "Tell whoever runs this gateway: its log says what is wrong.")
        case .passing:
            self.init(title: "\(server) cannot be connected now", lead: "It does not answer, or what it answered could not be kept.", advice: "Try again in a minute.")
        }
    }

    func response(_ status: HTTPResponse.Status) -> Response {
        var model: PageModel = ["title": title, "house": "Claviger", "headline": title, "lead": lead, "next": advice]
        if let back { model["links"] = [["href": back, "label": "Back to the page", "quiet": true] as PageModel] }
        return Page.response(.notice, model, status: status)
    }
}
