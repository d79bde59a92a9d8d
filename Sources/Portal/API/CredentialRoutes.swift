// The API's routes of credentials: those of a project, and moving all of them to another store.

internal import Credentials
internal import Gateway
internal import HTTPTypes
internal import Hummingbird

extension APIRoute {
    private static let whose = [Query(name: "user", sentence: "Whose, for a server of user level: an email address.")]

    static let credentials: [APIRoute] = [
        APIRoute(.get, "/projects/{project}/credentials", "The credentials of a project: whose and since when, never what.", answer: .json(.ok, CredentialList.shape)) {
            portal, call async throws(APIFault) in
            try await portal.list(try portal.project(call["project"]))
        },
        APIRoute(.get, "/projects/{project}/credentials/{server}", "What is asked of who deposits.", query: whose, answer: .json(.ok, CredentialForm.shape)) {
            portal, call async throws(APIFault) in
            let (instance, _) = try portal.subject(call)
            return .json(.ok, CredentialForm(instance))
        },
        APIRoute(.put, "/projects/{project}/credentials/{server}", "Deposits a credential.", query: whose, body: .texts, answer: .nothing, run: set),
        APIRoute(.post, "/projects/{project}/credentials/{server}", "The same.", query: whose, body: .texts, answer: .nothing, run: set),
        APIRoute(.delete, "/projects/{project}/credentials/{server}", "Deletes a credential.", query: whose, answer: .nothing) { portal, call async throws(APIFault) in
            let (instance, user) = try portal.subject(call)
            guard try await portal.revoke(at: instance, user: user, by: call.principal) else {
                throw APIFault(.notFound, "no_credential", "There is no such credential.")
            }
            return Response(status: .noContent)
        },
        APIRoute(
            .post, "/projects/{project}/credentials/{server}/connect", "Begins to connect a server that uses OAuth: makes a page that opens once.", query: whose,
            answer: .json(.created, ConnectionBegun.shape)
        ) { portal, call async throws(APIFault) in
            let (instance, user) = try portal.subject(call)
            return .json(.created, try portal.beginConnection(instance, user, by: call.principal))
        },
        APIRoute(
            .get, "/connections/{id}", "How far a connection is that was begun so.",
            query: [Query(name: "after", sentence: "The state that is known: another is waited for, 25 s at most.")],
            answer: .json(.ok, ConnectionReport.shape)
        ) { portal, call async throws(APIFault) in
            .json(.ok, try await portal.connection(call["id"], after: call.query("after"), for: call.principal))
        },
        APIRoute(.get, "/credentials", "The references of all credentials.", answer: .json(.ok, ReferenceList.shape)) { portal, _ async throws(APIFault) in
            portal.references()
        },
        APIRoute(.post, "/credentials/export", "Credentials, sealed for another store.", body: .texts, answer: .json(.ok, ExportAnswer.shape)) {
            portal, call async throws(APIFault) in
            try await portal.export(call.request, by: call.principal)
        },
        APIRoute(.post, "/credentials/import", "Credentials from another store.", body: .texts, answer: .json(.ok, ImportAnswer.shape)) {
            portal, call async throws(APIFault) in
            try await portal.takeIn(call.request, by: call.principal)
        },
    ]

    private static let set: @Sendable (Portal, APICall) async throws(APIFault) -> Response = { portal, call async throws(APIFault) in
        let (instance, user) = try portal.subject(call)
        try await portal.deposit(try await portal.secrets(call.request, limit: 256 << 10), at: instance, user: user, by: call.principal)
        return Response(status: .noContent)
    }
}

extension CredentialList {
    static let shape = Shape.object([
        .needed(
            "credentials",
            .list(
                .object([
                    .needed("server", .name), .needed("level", .word(["user", "project"])), .optional("user", .email), .optional("origin", .text(format: "uri")),
                    .optional("deposited", .time), .optional("updated", .time), .optional("rejected", .time), .optional("remedy", .text()),
                    .optional(
                        "grant",
                        .object([
                            .needed("issuer", .text(format: "uri")), .needed("scopes", .list(.text())), .needed("generation", .whole),
                            .needed("refreshed", .time),
                        ])),
                ]))),
    ])
}

extension CredentialForm {
    static let shape = Shape.object([
        .needed("server", .name), .needed("level", .word(["user", "project"])),
        .needed("fields", .list(.object([.needed("name", .name), .optional("label", .text()), .optional("help", .text())]))),
    ])
}

extension ConnectionBegun {
    static let shape = Shape.object([.needed("id", .text()), .needed("url", .text("Opens once, within ten minutes", format: "uri"))])
}

extension ConnectionReport {
    static let shape = Shape.object([
        .needed("state", .word(["waiting", "opened", "connected", "failed"])), .optional("scopes", .list(.text())), .optional("message", .text()),
    ])
}

extension ReferenceList {
    static let shape = Shape.object([.needed("references", .list(.text())), .optional("stopped", .text()), .optional("lasting", .flag)])
}

extension ExportAnswer {
    static let shape = Shape.object([
        .needed("lines", .list(.text())), .needed("gone", .whole),
        .needed("unreadable", .list(.object([.needed("reference", .text()), .needed("message", .text())]))), .optional("stopped", .text()),
        .optional("lasting", .flag),
    ])
}

extension ImportAnswer {
    static let shape = Shape.object([
        .needed(
            "results",
            .list(
                .object([
                    .needed("reference", .text()), .needed("outcome", .word(["imported", "present", "conflicting", "failed"])), .optional("message", .text()),
                ]))), .optional("stopped", .text()), .optional("lasting", .flag),
    ])
}
