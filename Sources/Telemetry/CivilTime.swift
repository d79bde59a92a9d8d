// A date in UTC from seconds, after Howard Hinnant's `civil_from_days`: no time zone, no lock, no Foundation.

internal import HTTP1

struct CivilTime {
    let year: Int, month: Int, day: Int
    let hour: Int, minute: Int, second: Int

    init(secondsSince1970 seconds: Int64) {
        var (days, rest) = Int(seconds).quotientAndRemainder(dividingBy: 86_400)
        if rest < 0 { days -= 1; rest += 86_400 }
        (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60)
        // Eras of 400 years that begin on the first of March of the year 0.
        days += 719_468
        let era = (days >= 0 ? days : days - 146_096) / 146_097
        let dayOfEra = days - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * shifted + 2) / 5 + 1
        month = shifted < 10 ? shifted + 3 : shifted - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    /// As RFC 3339 has it, without fraction and zone.
    func write(into buffer: ByteBuffer) {
        digits(year, 4, into: buffer)
        for (separator, value) in [("-", month), ("-", day), ("T", hour), (":", minute), (":", second)] {
            buffer.append(separator)
            digits(value, 2, into: buffer)
        }
    }
}
