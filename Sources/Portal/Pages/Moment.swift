// Times as people read them, in UTC.

enum Moment {
    private static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
    ]

    /// `12 October 2026`.
    static func day(_ seconds: Int64) -> String {
        let date = Moment.date(seconds)
        return "\(date.day) \(months[date.month - 1]) \(date.year)"
    }

    /// `12 October 2026, 14:05 UTC`.
    static func minute(_ seconds: Int64) -> String {
        let time = Int(max(seconds, 0) % 86_400)
        return "\(day(seconds)), \(two(time / 3600)):\(two(time / 60 % 60)) UTC"
    }

    /// `2026-10-12`, as date fields have it.
    static func field(_ seconds: Int64) -> String {
        let date = Moment.date(seconds)
        return "\(date.year)-\(two(date.month))-\(two(date.day))"
    }

    /// Reads `2026-10-12`, as the first second of that day; nil for anything else.
    static func seconds(field text: String) -> Int64? {
        let parts = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false).map { String($0) ?? "" }
        guard text.utf8.count == 10, parts.count == 3, parts[0].utf8.count == 4, parts[1].utf8.count == 2,
            parts.allSatisfy({ $0.utf8.allSatisfy { (48...57).contains($0) } }), let year = Int(parts[0]), let month = Int(parts[1]), let day = Int(parts[2]),
            year >= 1970, (1...12).contains(month), (1...31).contains(day)
        else { return nil }
        // Years from March on, so that the leap day is a year's last.
        let shifted = month > 2 ? year : year - 1
        let inYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let days = shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + inYear - 719_468
        let seconds = Int64(days) * 86_400
        return field(seconds) == text ? seconds : nil
    }

    /// How long ago, in the largest unit that says enough.
    static func ago(_ seconds: Int64, now: Int64) -> String {
        let past = max(now - seconds, 0)
        switch past {
        case ..<60: return "just now"
        case ..<3600: return "\(past / 60) min ago"
        case ..<86_400: return past < 7200 ? "an hour ago" : "\(past / 3600) hours ago"
        case ..<172_800: return "yesterday"
        case ..<2_592_000: return "\(past / 86_400) days ago"
        default: return day(seconds)
        }
    }

    /// How long until then.
    static func until(_ seconds: Int64, now: Int64) -> String {
        let left = seconds - now
        switch left {
        case ..<3600: return "in less than an hour"
        case ..<86_400: return left < 7200 ? "in an hour" : "in \(left / 3600) hours"
        case ..<172_800: return "tomorrow"
        default: return "in \(left / 86_400) days"
        }
    }

    private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    /// After Howard Hinnant's `civil_from_days`.
    private static func date(_ seconds: Int64) -> (year: Int, month: Int, day: Int) {
        let days = Int(clamping: min(max(seconds, 0), 253_402_300_799) / 86_400) + 719_468
        let era = days / 146_097
        let ofEra = days - era * 146_097
        let yearOfEra = (ofEra - ofEra / 1460 + ofEra / 36_524 - ofEra / 146_096) / 365
        let ofYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * ofYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, ofYear - (153 * shifted + 2) / 5 + 1)
    }
}
