// One server on a person's page: its state, and what is open in its card.

internal import Credentials
internal import Gateway

struct Card: Sendable {
    enum Opening: Sendable { case closed, form, replacing, ending }

    /// Why what was just sent is not kept.
    struct Trouble: Sendable {
        var headline: String?
        var words = ""
        /// By field.
        var fields: [FieldName: String] = [:]
        /// By which the values are known that could not be tried out.
        var kept: String?
    }

    let instance: ServerInstance
    let connection: FoundConnection
    let place: Place
    /// That its forms carry.
    let word: String
    let now: Int64
    var opening = Opening.closed
    var trouble: Trouble?
    /// Whether its button is the one to press.
    var isNext = false

    var isToDo: Bool { !isDone && opening == .closed && trouble == nil }
    var isForm: Bool { !isOAuth && (opening == .form && !isDone || opening == .replacing || trouble != nil && trouble?.kept == nil) }
    var isDone: Bool { connection.isGood }

    private var isOAuth: Bool { instance.server.oauth != nil }
    private var id: String { "server-\(instance.name)" }

    var model: PageModel {
        let isEnding = opening == .ending && connection != .missing
        let state = state
        var model: PageModel = [
            "id": id, "initial": String(instance.words.prefix(1)).uppercased(), "title": instance.words, "icon": instance.iconPath ?? false,
            "description": instance.server.description ?? false, "action": place.path(instance.name), "csrf": word, "base": place.base,
            "showsState": connection != .missing || isForm || trouble != nil, "state": state.word, "tone": state.tone, "error": trouble?.headline ?? refusal ?? false,
            "errorWords": trouble.map(\.words) ?? refusalWords, "keep": trouble?.kept ?? false, "isForm": isForm,
            "offersConnect": isOAuth && connection == .missing, "offersForm": !isOAuth && !isForm && connection == .missing && trouble?.kept == nil, "isOAuth": isOAuth,
            "renews": connection != .missing && !isDone && opening == .closed && trouble == nil,
            "isLater": !isNext, "isOpenQuestion": trouble?.kept != nil, "noun": noun, "isReplacing": isDone, "isTried": instance.server.isProbed, "isEnding": isEnding,
            "ending": "\(place.house)’s agents can no longer use \(instance.words) \(whose). What is stored here for it is deleted, at once and for good.",
            "isSettled": connection != .missing && !isForm && !isEnding && trouble == nil, "since": since, "replaces": isDone && !isOAuth,
            "fate": fate,
        ]
        for shape in ["isDisc", "isRing", "isTurn", "isCross", "isPause"] { model[shape] = shape == state.shape }
        model["fields"] = instance.server.fields.enumerated().map { index, field in
            fieldModel(field, isFirst: index == 0)
        }
        return model
    }

    private var whose: String { place.isShared ? "for anybody" : "for you" }

    /// What becomes of what is entered.
    private var fate: String {
        let tried = instance.server.isProbed ? "tried with \(instance.words) and then " : ""
        let use = place.isShared ? "It serves everybody in \(place.house)." : "It is used for you alone."
        return "It is \(tried)stored encrypted. \(use) Agents never see it."
    }

    private func fieldModel(_ field: Field, isFirst: Bool) -> PageModel {
        [
            "id": "\(id)-\(field.name)", "name": "field_\(field.name)", "label": field.label ?? Card.readable(field.name.text),
            "help": field.help ?? "As \(instance.words) shows it. Blanks around it do not matter.", 
            "first": isFirst && trouble?.fields.isEmpty != false || trouble?.fields[field.name] != nil,
            "error": trouble?.fields[field.name] ?? false,
        ]
    }

    /// What is entered, in a word for a button: a label's last one, which says what kind of thing it is.
    private var noun: String {
        guard instance.server.fields.count == 1 else { return "keys" }
        let last = instance.server.fields.first?.label?.split(separator: " ").last.map { $0.lowercased() } ?? "key"
        return last.count <= 10 ? last : "key"
    }

    private var state: (word: String, tone: String, shape: String) {
        if trouble != nil, trouble?.kept == nil, trouble?.headline != nil { return ("Not saved", "bad", "isCross") }
        switch connection {
        case .missing: return ("Not yet", "todo", "isRing")
        case .connected: return ("Connected", "ok", "isDisc")
        case .refused: return isOAuth ? ("Reconnect", "warn", "isTurn") : ("Key refused", "bad", "isCross")
        case .moved, .unusable: return ("Reconnect", "warn", "isTurn")
        }
    }

    private var refusal: String? {
        guard opening == .closed || opening == .form else { return nil }
        return switch connection {
        case .missing, .connected: nil
        case .refused: isOAuth ? "\(instance.words) no longer lets us in for you." : "\(instance.words) no longer takes this key."
        case .moved: "\(instance.words) has moved."
        case .unusable: "What is stored cannot be used."
        }
    }

    private var refusalWords: String {
        switch connection {
        case .missing, .connected: ""
        case .refused: isOAuth ? "The permission has ended or was taken back. Connect it again." : "It may have expired, or been revoked or replaced there. Enter a new one."
        case .moved: "The key was given for its old address and is not sent to the new one. Enter it again if you trust the move."
        case .unusable: "It was changed by other means, or damaged. Enter it again."
        }
    }

    private var since: String {
        switch connection {
        case .missing: ""
        case .connected(let since): since.map { "Since \(Moment.day($0))." } ?? "Connected."
        case .refused(let since): "Refused since \(Moment.day(since))."
        case .moved, .unusable: "Not in use."
        }
    }

    /// `api_key` as a label.
    static func readable(_ name: String) -> String {
        let words = name.replacing("_", with: " ")
        return words.prefix(1).uppercased() + words.dropFirst()
    }

}
