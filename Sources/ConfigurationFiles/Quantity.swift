// Durations, sizes, rates and times as the configuration writes them. Arithmetic is checked: no text makes it trap.

package import Gateway

/// Readers of one written quantity each; nil where the text is not one.
package enum Quantity {
    /// `500ms 30s 5m 2h 7d`: digits and one unit, no sign, no blank. Nil beyond 292 million years, too.
    package static func duration(_ text: String) -> Duration? {
        let (digits, unit) = split(text)
        guard let count = number(digits) else { return nil }
        let factor: Int
        switch unit {
        case "ms":
            return .milliseconds(count)
        case "s": factor = 1
        case "m": factor = 60
        case "h": factor = 3600
        case "d": factor = 86_400
        default: return nil
        }
        let (seconds, overflow) = count.multipliedReportingOverflow(by: factor)
        // Duration holds attoseconds in 128 bits: any Int of seconds fits.
        return overflow ? nil : .seconds(seconds)
    }

    /// `512B 16KiB 8MiB 1GiB`, in bytes.
    package static func size(_ text: String) -> Int? {
        let (digits, unit) = split(text)
        guard let count = number(digits) else { return nil }
        let factor: Int
        switch unit {
        case "B": factor = 1
        case "KiB": factor = 1 << 10
        case "MiB": factor = 1 << 20
        case "GiB": factor = 1 << 30
        case "TiB": factor = 1 << 40
        default: return nil
        }
        let (bytes, overflow) = count.multipliedReportingOverflow(by: factor)
        return overflow ? nil : bytes
    }

    /// `100/s 60/m 1000/h`, one million at most and at least one.
    package static func rate(_ text: String) -> Rate? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let count = number(parts[0]), (1...1_000_000).contains(count) else { return nil }
        switch parts[1] {
        case "s": return Rate(count: count, per: .seconds(1))
        case "m": return Rate(count: count, per: .seconds(60))
        case "h": return Rate(count: count, per: .seconds(3600))
        default: return nil
        }
    }

    /// Digits only; nil when empty or beyond Int.
    package static func number(_ text: some StringProtocol) -> Int? {
        guard !text.isEmpty else { return nil }
        var value = 0
        for byte in text.utf8 {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            let (tens, high) = value.multipliedReportingOverflow(by: 10)
            let (sum, low) = tens.addingReportingOverflow(Int(byte) - 48)
            guard !high, !low else { return nil }
            value = sum
        }
        return value
    }

    /// An RFC 3339 time (section 5.6), as seconds since 1970; fractions are dropped. Years 1970 to 9999.
    package static func time(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)
        guard bytes.count >= 20 else { return nil }
        func digits(_ range: Range<Int>) -> Int? { number(String(decoding: bytes[range], as: UTF8.self)) }
        func letter(_ at: Int) -> UInt8 { bytes[at] }
        guard let year = digits(0..<4), letter(4) == UInt8(ascii: "-"), let month = digits(5..<7), letter(7) == UInt8(ascii: "-"),
            let day = digits(8..<10), letter(10) | 0x20 == UInt8(ascii: "t"), let hour = digits(11..<13), letter(13) == UInt8(ascii: ":"),
            let minute = digits(14..<16), letter(16) == UInt8(ascii: ":"), let second = digits(17..<19)
        else { return nil }
        var at = 19
        if letter(at) == UInt8(ascii: ".") {
            at += 1
            let first = at
            while at < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[at]) { at += 1 }
            guard at > first, at < bytes.count else { return nil }
        }
        guard let offset = zone(bytes[at...]) else { return nil }
        guard (1970...9999).contains(year), (1...12).contains(month), (1...daysIn(month, of: year)).contains(day),
            hour < 24, minute < 60, second <= 60
        else { return nil }
        return Int64(dayNumber(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset)
    }

    /// The zone's seconds east of UTC, from `Z` or `+01:00`.
    private static func zone(_ bytes: ArraySlice<UInt8>) -> Int? {
        guard let first = bytes.first else { return nil }
        if bytes.count == 1 { return first | 0x20 == UInt8(ascii: "z") ? 0 : nil }
        let parts = String(decoding: bytes.dropFirst(), as: UTF8.self).split(separator: ":", omittingEmptySubsequences: false)
        guard bytes.count == 6, parts.count == 2, parts[0].utf8.count == 2, let hours = number(parts[0]), let minutes = number(parts[1]),
            hours < 24, minutes < 60
        else { return nil }
        switch first {
        case UInt8(ascii: "+"): return hours * 3600 + minutes * 60
        case UInt8(ascii: "-"): return -(hours * 3600 + minutes * 60)
        default: return nil
        }
    }

    private static func daysIn(_ month: Int, of year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days since 1970-01-01 in the Gregorian calendar; years from March on, so that the leap day is a year's last.
    private static func dayNumber(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let shifted = month > 2 ? year : year - 1
        let inYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + inYear - 719_468
    }

    private static func split(_ text: String) -> (digits: Substring, unit: Substring) {
        let unit = text.firstIndex { !("0"..."9").contains($0) } ?? text.endIndex
        return (text[..<unit], text[unit...])
    }
}

extension Quantity {
    /// A duration as the configuration would write it.
    package static func text(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        if attoseconds != 0 { return "\(seconds * 1000 + attoseconds / 1_000_000_000_000_000)ms" }
        for (factor, unit) in [(Int64(86_400), "d"), (3600, "h"), (60, "m")] where seconds > 0 && seconds % factor == 0 {
            return "\(seconds / factor)\(unit)"
        }
        return "\(seconds)s"
    }

    /// A size as the configuration would write it.
    package static func text(size: Int) -> String {
        for (factor, unit) in [(1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")] where size > 0 && size % factor == 0 {
            return "\(size / factor)\(unit)"
        }
        return "\(size)B"
    }
}
