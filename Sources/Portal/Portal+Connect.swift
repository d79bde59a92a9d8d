// The page that a missing credential's URL leads to, until people can connect by themselves: whom to ask, and what he does.

internal import Gateway
internal import HTTPTypes
internal import Hummingbird

extension Portal {
    /// The page is the same for any well-formed names: a stranger does not learn what exists.
    func connect(_ request: Request, _ path: [String]) async -> Response {
        if path.count == 2, path[0] == "start" { return await startConnection(request, path[1]) }
        if path.count == 2, path[0] == "callback" { return await finishConnection(request, path[1]) }
        guard request.method == .get || request.method == .head else { return .notAllowed("GET") }
        if path == ["claviger.css"] {
            return .page(Stylesheet.text, type: "text/css; charset=utf-8", caching: "public, max-age=3600")
        }
        guard path.count == 2, let project = ProjectName(path[0]), let server = ServerName(path[1]) else { return .notFound }
        return .page(ConnectPage.html(project, server), type: "text/html; charset=utf-8", caching: "no-store")
    }
}

enum ConnectPage {
    /// Names consist of letters, digits and hyphens: nothing in them needs escaping.
    static func html(_ project: ProjectName, _ server: ServerName) -> String {
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>Connect \(server)</title>
        <link rel="stylesheet" href="/connect/claviger.css">
        </head>
        <body>
        <main>
        <header>\(keyMark)<span><strong>\(project)</strong></span></header>
        <h1>\(server) is not connected yet</h1>
        <p class="lead">An agent asked \(server) to do something and needs a key for it first. The agent never sees that key.</p>
        <section class="card">
        <h2>What you can do</h2>
        <p>Ask whoever runs this gateway to connect \(server) for you. Send them this page’s address and the email address your agent uses.</p>
        </section>
        <section class="card">
        <h2>If you run this gateway</h2>
        <p>On its machine, with the key on standard input as <code>FIELD=VALUE</code>, one a line:</p>
        <pre><code>claviger credential set --project \(project) --server \(server) --user EMAIL</code></pre>
        <p class="hint">Without <code>--user</code> where one key serves everybody.</p>
        </section>
        <footer>\(keyMark)<span>Keys are kept encrypted, apart from everything else. Nobody can read them back.</span></footer>
        </main>
        </body>
        </html>

        """
    }

    static let keyMark = """
        <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.9" stroke-linecap="round" \
        stroke-linejoin="round" aria-hidden="true"><circle cx="8" cy="8" r="4.6"/><path d="m11.4 11.4 9 9M16.2 16.2l2.6-2.6M19.3 19.3l1.7-1.7"/></svg>
        """
}

extension Response {
    /// With the fields that keep a page from being framed, scripted, or told about.
    static func page(_ text: String, type: String, caching: String) -> Response {
        var response = Response(status: .ok, headers: [.contentType: type, .cacheControl: caching], body: .init(byteBuffer: .init(string: text)))
        response.addPageFields()
        return response
    }

    mutating func addPageFields() {
        headers[.xContentTypeOptions] = "nosniff"
        headers[.contentSecurityPolicy] =
            "default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
        for (name, value) in [("x-frame-options", "DENY"), ("referrer-policy", "no-referrer")] {
            if let name = HTTPField.Name(name) { headers[name] = value }
        }
    }
}
