// The other side of a transfer, as faults name it.

internal import Curl

struct Party {
    /// Host and port.
    let name: String

    func fault(_ kind: OutboundFault.Kind, _ retry: OutboundFault.Retry, _ words: String) -> OutboundFault {
        OutboundFault(kind, retry, "\(name): \(words)")
    }

    /// Its time was over before it began.
    var late: OutboundFault { fault(.timedOut, .safe, "no connection was free in time") }

    func fault(_ fault: CurlFault, isSent: Bool) -> OutboundFault {
        let kind: OutboundFault.Kind =
            switch fault.kind {
            case .invalid: .invalid
            case .unresolved: .unresolved
            case .unreachable: .unreachable
            case .untrusted: .untrusted
            case .timedOut: .timedOut
            case .broken: .broken
            case .tooLarge: .tooLarge
            case .other: .crowded
            }
        let retry: OutboundFault.Retry =
            switch kind {
            case .invalid, .tooLarge: .pointless
            default: isSent ? .ifRepeatable : .safe
            }
        return self.fault(kind, retry, fault.words)
    }
}
