// Who asks, and what he may: from the fields that our workers set. A client's own of these names never get here.

internal import HTTPTypes
internal import Hummingbird

enum Authority: Equatable {
    /// Came in where agents do: the pages only.
    case stranger
    /// Came in at `admin.address`: what is open there; the rest needs a sign-in.
    case visitor
    /// Came over `admin.sock`: may do everything, and is recorded.
    case holder(uid: String)

    /// Nil for what did not come through a worker.
    init?(_ headers: HTTPFields) {
        switch headers[.clavigerDoor] {
        case "public": self = .stranger
        case "admin": self = .visitor
        case "socket": self = .holder(uid: headers[.clavigerUser] ?? "unknown")
        default: return nil
        }
    }
}

extension HTTPField.Name {
    static let clavigerDoor = unchecked("x-claviger-door")
    static let clavigerUser = unchecked("x-claviger-uid")
    static let clavigerKnown = unchecked("x-claviger-known")
    static let clavigerPeer = unchecked("x-claviger-peer")
    static let clavigerFrames = unchecked("x-frame-options")
    static let clavigerReferrer = unchecked("referrer-policy")
    static let clavigerOpener = unchecked("cross-origin-opener-policy")
    static let clavigerResource = unchecked("cross-origin-resource-policy")
    static let fetchSite = unchecked("sec-fetch-site")

    /// A literal of ours is a token.
    private static func unchecked(_ name: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(name) else { preconditionFailure("the name is a token") }
        return name
    }
}
