// Who has the log alone to go by hears once a day of a certificate that ends soon.

import Metrics
import Testing

@testable import claviger

@Suite struct CertificateReminderTests {
    private let start: Int64 = 1_800_000_000
    private let day: Int64 = 86_400

    @Test func `it is said once a day, from fourteen days before the end on`() {
        var reminder = CertificateReminder(now: start)
        let end = start + 16 * day
        let expiries = [CertificateExpiry(.listener("127.0.0.1:8443"), notAfter: end), CertificateExpiry(.server("crm"), notAfter: start + 400 * day)]
        var said: [Int64: [String]] = [:]
        for hour in 0..<24 * 18 {
            let lines = reminder.lines(of: expiries, now: start + Int64(hour) * 3600)
            if !lines.isEmpty { said[Int64(hour) / 24, default: []] += lines }
        }
        #expect(said.keys.sorted() == Array(3...17))
        #expect(said.values.allSatisfy { $0.count == 1 })
        let line = "a certificate of the listener 127.0.0.1:8443 expires at 2027-01-31T08:00:00Z: renew it; a new one in its place is taken without a reload"
        #expect(said[3] == [line])
        #expect(said[17] == [line.replacing("expires", with: "expired")])
    }

    @Test func `what was said when the configuration was read is not said again at once`() {
        var reminder = CertificateReminder(now: start)
        let ending = [CertificateExpiry(.server("crm"), notAfter: start + day)]
        #expect(reminder.lines(of: ending, now: start + day - 1).isEmpty)
        #expect(reminder.lines(of: ending, now: start + day).first?.hasPrefix("the certificate shown to servers.crm expired at ") == true)
        #expect(reminder.lines(of: ending, now: start + day + 5).isEmpty)
    }
}
