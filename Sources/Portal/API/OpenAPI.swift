// The description of the API, made from its routes: OpenAPI 3.1.

internal import HTTPTypes

enum OpenAPI {
    static let document: JSONTree = .object([
        ("openapi", .text("3.1.0")),
        ("info", .object([
            ("title", .text("Claviger's administration")), ("version", .text("1")),
            ("description", .text("Over admin.sock whoever may connect is the authority; over admin.address a bearer token is (`claviger token new`), and a signed-in administrator is for his projects.")),
        ])),
        ("servers", .list([.object([("url", .text("/api/v1"))])])),
        ("security", .list([.object([("token", .list([]))]), .object([("session", .list([]))])])),
        ("paths", .object(paths)),
        ("components", .object([
            ("securitySchemes", .object([
                ("token", .object([("type", .text("http")), ("scheme", .text("bearer"))])),
                ("session", .object([("type", .text("apiKey")), ("in", .text("cookie")), ("name", .text(Side.administration.cookie))])),
            ])),
            ("responses", .object([("fault", fault)])),
        ])),
    ])

    private static var paths: [(String, JSONTree)] {
        var order: [String] = []
        for route in APIRoute.all where !order.contains(route.path) { order.append(route.path) }
        return order.map { path in
            let routes = APIRoute.all.filter { $0.path == path }
            return (path, .object(routes.map { ($0.method.rawValue.lowercased(), operation($0)) }))
        }
    }

    private static func operation(_ route: APIRoute) -> JSONTree {
        let parameters =
            route.names.map { parameter($0, "path", nil) } + route.query.map { parameter($0.name, "query", $0.sentence) }
        var members: [(String, JSONTree)] = [("summary", .text(route.summary))]
        if !parameters.isEmpty { members.append(("parameters", .list(parameters))) }
        if let body = route.body { members.append(("requestBody", .object([("required", .flag(true)), ("content", content(body.schema))]))) }
        members.append(("responses", .object([answer(route.answer), ("default", .object([("$ref", .text("#/components/responses/fault"))]))])))
        return .object(members)
    }

    private static func parameter(_ name: String, _ place: String, _ sentence: String?) -> JSONTree {
        .object(
            [("name", .text(name)), ("in", .text(place)), ("required", .flag(place == "path")), ("schema", .object([("type", .text("string"))]))]
                + (sentence.map { [("description", .text($0))] } ?? []))
    }

    private static func answer(_ answer: APIRoute.Answer) -> (String, JSONTree) {
        switch answer {
        case .json(let status, let shape):
            ("\(status.code)", .object([("description", .text(status.reasonPhrase)), ("content", content(shape.schema))]))
        case .nothing: ("204", .object([("description", .text("Done"))]))
        case .bytes(let type):
            ("200", .object([("description", .text("OK")), ("content", .object([(type, .object([("schema", .object([]))]))]))]))
        }
    }

    private static func content(_ schema: JSONTree) -> JSONTree {
        .object([("application/json", .object([("schema", schema)]))])
    }

    private static let fault: JSONTree = .object([
        ("description", .text("Why not: a code for programs, a sentence for people")),
        ("content", content(Shape.object([.needed("error", .object([.needed("code", .text()), .needed("message", .text())]))]).schema)),
    ])
}
