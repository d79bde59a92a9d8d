// Says once a day of each certificate in force that it ends soon, for whoever has the log alone to go by.

internal import Gateway
internal import Metrics
internal import Portal

struct CertificateReminder {
    /// Seconds since 1970.
    private var next: Int64

    private static let interval: Int64 = 86_400

    /// - Parameter now: when the configuration was read, which warned of them by itself.
    init(now: Int64) {
        next = now + CertificateReminder.interval
    }

    /// What is to be said now; mostly nothing.
    mutating func lines(of expiries: @autoclosure () -> [CertificateExpiry], now: Int64) -> [String] {
        guard now >= next else { return [] }
        next = now + CertificateReminder.interval
        return expiries().filter { $0.notAfter - now < CertificateFiles.warningSpan }.map { expiry in
            let what =
                switch expiry.owner {
                case .listener(let address): "a certificate of the listener \(address)"
                case .server(let name): "the certificate shown to servers.\(name)"
                }
            let verb = expiry.notAfter <= now ? "expired" : "expires"
            return "\(what) \(verb) at \(Timestamp.text(expiry.notAfter)): renew it; a new one in its place is taken without a reload"
        }
    }
}
