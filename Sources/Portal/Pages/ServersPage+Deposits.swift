// What a person's forms do: values tried and kept, kept untried, replaced, deleted.

internal import Credentials
internal import Gateway
internal import HTTPTypes
internal import Hummingbird
internal import Logging

extension ServersPage {
    func take(_ request: Request, _ form: FormBody, at name: ServerName, _ rest: [String], token: SessionToken) async throws -> Response {
        guard let instance = offered.first(where: { $0.name == name }) else { return try await page(open: (name, .closed), status: .notFound) }
        let source = request.peer
        switch (rest, form.text("do")) {
        case ([], "save"): return try await save(form, at: instance, token, source)
        case ([], "keep"): return try await keep(form, at: instance, token, source)
        case ([], "disconnect"): return try await disconnect(instance, source)
        case (["_oauth"], _): return try await leave(request, for: instance)
        default: return portal.notice(.nothingHere, place)
        }
    }

    // MARK: Saving

    private func save(_ form: FormBody, at instance: ServerInstance, _ token: SessionToken, _ source: String) async throws -> Response {
        var values: [FieldName: Secret] = [:]
        for field in instance.server.fields {
            if let value = form.pasted("field_\(field.name)") { values[field.name] = value }
        }
        let faults = RenderedCredential.problems(with: values, for: instance.server, matches: FieldPattern.matches)
        guard faults.isEmpty else {
            let words = Dictionary(faults.map { ($0.field, sentence($0, instance)) }) { first, _ in first }
            return try await page(open: (instance.name, .form), trouble: Card.Trouble(fields: words), status: .unprocessableContent)
        }
        guard pages.attempts.take(session.email, now: portal.wallClock()) else {
            let trouble = Card.Trouble(
                headline: "Too many tries.", words: "Thirty an hour is as many as we make for one person. Nothing was saved; try again in an hour.")
            return try await page(open: (instance.name, .form), trouble: trouble, status: .tooManyRequests)
        }
        switch await pages.trial.outcome(of: values, at: instance.server) {
        case .accepted, .notAsked: return try await store(values, at: instance, source)
        case .refused(let status):
            portal.logger.info("a value was refused when it was tried", metadata: ["server": "\(instance.name)", "status": "\(status)"])
            let trouble = Card.Trouble(
                headline: "\(instance.words) does not take this \(instance.server.fields.count == 1 ? "key" : "combination").",
                words: "It answered that it is not valid. It may have been copied in part, expired, or be of another account. Nothing was saved.")
            return try await page(open: (instance.name, .form), trouble: trouble, status: .unprocessableContent)
        case .unreachable(let why):
            portal.logger.warning("a value could not be tried: \(why)", metadata: ["server": "\(instance.name)"])
            return try await untried(
                values, at: instance, token, "\(instance.words) could not be asked.",
                "It does not answer just now, so we cannot say whether this works. Nothing is saved yet: keep it unchecked, or come back later.")
        case .odd(let why):
            portal.logger.warning("a value was tried, and the answer was odd: \(why)", metadata: ["server": "\(instance.name)"])
            return try await untried(
                values, at: instance, token, "\(instance.words) gave an answer we do not understand.",
                "It did not say that the key is wrong, but not that it is right either. Nothing is saved yet: if you are sure of it, keep it unchecked.")
        }
    }

    private func untried(_ values: [FieldName: Secret], at instance: ServerInstance, _ token: SessionToken, _ headline: String, _ words: String) async throws -> Response {
        let id = Base64URL.text(portal.random(18))
        let isHeld = pages.untried.hold(values, as: id, session: token.digest, action: place.path(instance.name), now: portal.wallClock())
        let trouble = Card.Trouble(headline: headline, words: words, kept: isHeld ? id : nil)
        return try await page(open: (instance.name, isHeld ? .closed : .form), trouble: trouble, status: .unprocessableContent)
    }

    private func keep(_ form: FormBody, at instance: ServerInstance, _ token: SessionToken, _ source: String) async throws -> Response {
        let kept = pages.untried.take(form.text("kept"), session: token.digest, action: place.path(instance.name), now: portal.wallClock())
        guard let kept else {
            let trouble = Card.Trouble(headline: "Please enter it again.", words: "It was held for five minutes, and they are over. Nothing was saved.")
            return try await page(open: (instance.name, .form), trouble: trouble, status: .unprocessableContent)
        }
        return try await store(kept, at: instance, source)
    }

    /// Says that it is saved only when the store has it durably and it is on record.
    private func store(_ values: [FieldName: Secret], at instance: ServerInstance, _ source: String) async throws -> Response {
        // The link may have ended while the server was asked.
        if let ended = try await endedMeanwhile() { return ended }
        do throws(APIFault) {
            let user = instance.level == .user ? session.email : nil
            try await portal.deposit(values, at: instance, user: user, by: principal(source), through: place.link.id)
        } catch {
            return try await unsaved(error, at: instance)
        }
        return try await settled(instance, source)
    }

    /// After a server was connected, in whichever way: the user, and a project link that has done its work.
    func settled(_ instance: ServerInstance, _ source: String) async throws -> Response {
        try await portal.state.saw(session.email, in: place.project.name, at: portal.wallClock())
        if place.isShared, let id = place.link.id, try await isComplete() {
            let entry = principal(source).entry(.linkSpent, at: portal.wallClock(), project: place.project.name, link: id, detail: "everything is connected")
            _ = try await portal.state.spend(id, by: session.email, noted: entry)
        }
        return .seeOther("\(place.base)?saved=\(instance.name)")
    }

    private func unsaved(_ fault: APIFault, at instance: ServerInstance) async throws -> Response {
        portal.logger.error("a deposit was not stored: \(fault.message)", metadata: ["server": "\(instance.name)"])
        let trouble = Card.Trouble(
            headline: "It could not be stored.",
            words: fault.retryAfter == nil
                ? "Our secret store does not take it as it is. Tell whoever runs this gateway; the reason is in its log."
                : "Our secret store does not answer just now. As far as we know nothing was saved: try again in a minute.")
        return try await page(open: (instance.name, .form), trouble: trouble, status: .serviceUnavailable)
    }

    /// What to answer where the link is no longer what it was when the request came.
    func endedMeanwhile() async throws -> Response? {
        guard let id = place.link.id else { return nil }
        guard let link = try await portal.state.link(id)?.link else { return portal.notice(.linkUnknown, place) }
        let state = link.state(at: portal.wallClock())
        guard state == .active else { return try await portal.over(place, state, nil) }
        return link.admits(session.email) ? nil : portal.notAdmitted(place, session, visitor)
    }

    private func isComplete() async throws -> Bool {
        let instances = offered
        let found = try await pages.connections.connections(at: instances, user: session.email)
        return instances.allSatisfy { found[$0.name]?.isGood == true }
    }

    // MARK: Disconnecting

    private func disconnect(_ instance: ServerInstance, _ source: String) async throws -> Response {
        do throws(APIFault) {
            let user = instance.level == .user ? session.email : nil
            _ = try await portal.revoke(at: instance, user: user, by: principal(source), link: place.link.id)
        } catch {
            portal.logger.error("a credential was not deleted: \(error.message)", metadata: ["server": "\(instance.name)"])
            let trouble = Card.Trouble(
                headline: "It could not be disconnected.", words: "Our secret store does not answer just now: it may still be in use. Try again in a minute.")
            return try await page(open: (instance.name, .closed), trouble: trouble, status: .serviceUnavailable)
        }
        return .seeOther("\(place.base)?gone=\(instance.name)")
    }

    // MARK: Words

    private func sentence(_ fault: CredentialFault, _ instance: ServerInstance) -> String {
        switch fault.problem {
        case .missing, .empty: "Nothing was entered."
        case .tooLong: "This is longer than any key we know. Paste the key alone."
        case .controlCharacter: "There is a line break or another invisible character in it. Paste the key alone."
        case .notASCII: "There is a character in it that keys do not have. It may have been copied from a formatted text."
        case .surroundingSpace: "It begins or ends with a blank. Paste the key alone."
        case .slash: "There is a slash in it, which this key cannot have. Paste the key alone, not an address."
        case .dotSegment: "This cannot be a key."
        case .pattern: "This does not look like a key of \(instance.words). It may have been copied in part, or be another one."
        case .unknownField: "\(instance.words) does not ask for this."
        }
    }
}
