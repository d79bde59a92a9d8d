// Points in time as AWS writes them (ISO 8601; seconds since 1970 in STS's JSON), as seconds since 1970.

enum AWSTime {
    /// `2026-01-31T12:00:00Z`, with or without a fraction, with `Z` or an offset such as `+01:00`; or a number of seconds, in any notation
    /// of JSON's. Nil for anything else, and for what lies beyond the year 9999.
    static func seconds(_ text: String) -> Int64? {
        if let number = Double(text) {
            return number >= 0 && number < 253_402_300_800 ? Int64(number) : nil
        }
        var reader = Reader(rest: text.utf8[...])
        return reader.time()
    }

    private struct Reader {
        var rest: Substring.UTF8View

        mutating func time() -> Int64? {
            guard let year = number(4), take("-"), let month = number(2), take("-"), let day = number(2), take("T") || take(" "),
                let hour = number(2), take(":"), let minute = number(2), take(":"), let second = number(2),
                (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second <= 60
            else { return nil }
            if take(".") {
                guard number(1) != nil else { return nil }
                while number(1) != nil {}
            }
            guard let offset = offset(), rest.isEmpty else { return nil }
            return Reader.days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset
        }

        /// In seconds east of Greenwich.
        private mutating func offset() -> Int64? {
            if take("Z") { return 0 }
            let sign: Int64 = take("+") ? 1 : take("-") ? -1 : 0
            guard sign != 0, let hours = number(2), hours < 24 else { return nil }
            _ = take(":")
            guard let minutes = number(2), minutes < 60 else { return nil }
            return sign * (hours * 3600 + minutes * 60)
        }

        /// That many digits.
        private mutating func number(_ count: Int) -> Int64? {
            let digits = rest.prefix(count)
            guard digits.count == count, digits.allSatisfy({ (48...57).contains($0) }) else { return nil }
            rest = rest.dropFirst(count)
            return digits.reduce(0) { $0 * 10 + Int64($1 - 48) }
        }

        private mutating func take(_ mark: Unicode.Scalar) -> Bool {
            guard let first = rest.first, UInt32(first) == mark.value else { return false }
            rest = rest.dropFirst()
            return true
        }

        /// Days from 1970-01-01 to a day of the Gregorian calendar, reckoned in years that begin in March.
        private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
            let shifted = month > 2 ? year : year - 1
            let era = shifted / 400
            let yearOfEra = shifted % 400
            let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
            return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
        }
    }
}
