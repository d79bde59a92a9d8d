// A page that says one thing: what happened at the provider, and what to do now.

internal import Gateway
internal import HTTPTypes
internal import Hummingbird
internal import OAuth

struct MessagePage {
    let title: String
    let lead: String
    let advice: String?

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
        var response = Response.page(html, type: "text/html; charset=utf-8", caching: "no-store")
        response.status = status
        return response
    }

    private var html: String {
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>\(MessagePage.escaped(title))</title>
        <link rel="stylesheet" href="/connect/claviger.css">
        </head>
        <body>
        <main>
        <header>\(ConnectPage.keyMark)<span><strong>Claviger</strong></span></header>
        <h1>\(MessagePage.escaped(title))</h1>
        <p class="lead">\(MessagePage.escaped(lead))</p>
        \(advice.map { "<section class=\"card\"><p>\(MessagePage.escaped($0))</p></section>" } ?? "")
        </main>
        </body>
        </html>

        """
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;").replacing("\"", with: "&quot;")
    }
}
