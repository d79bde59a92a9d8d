// Durations, sizes, rates and times as the configuration writes them.

import ConfigurationFiles
import Gateway
import Testing

struct QuantityTests {
    @Test(arguments: [("30s", Duration.seconds(30)), ("5m", .seconds(300)), ("2h", .seconds(7200)), ("7d", .seconds(604_800)), ("500ms", .milliseconds(500)), ("0s", .zero)])
    func `a duration is digits and one unit`(text: String, duration: Duration) {
        #expect(Quantity.duration(text) == duration)
    }

    @Test(arguments: ["", "s", "5", "5 m", "-5m", "+5m", "5min", "1h30m", "5M", "1.5h", "９s", "99999999999999999999d", "9223372036854775807d", "5s\n"])
    func `anything else is no duration`(text: String) {
        #expect(Quantity.duration(text) == nil)
    }

    @Test(arguments: [("512B", 512), ("16KiB", 16_384), ("8MiB", 8 << 20), ("1GiB", 1 << 30), ("0B", 0)])
    func `a size is digits and a binary unit`(text: String, size: Int) {
        #expect(Quantity.size(text) == size)
    }

    @Test(arguments: ["", "16", "16KB", "16kib", "16K", "16 KiB", "-1B", "9223372036854775807GiB", "18446744073709551616B"])
    func `anything else is no size`(text: String) {
        #expect(Quantity.size(text) == nil)
    }

    @Test func `a rate counts by second, minute or hour`() {
        #expect(Quantity.rate("100/s")?.count == 100)
        #expect(Quantity.rate("60/m")?.per == .seconds(60))
        #expect(Quantity.rate("1000/h")?.per == .seconds(3600))
    }

    @Test(arguments: ["", "100", "0/s", "100/", "/s", "100/d", "100/s/s", "1000001/s", "-1/s", "1e3/s"])
    func `anything else is no rate`(text: String) {
        #expect(Quantity.rate(text) == nil)
    }

    @Test(arguments: [
        ("1970-01-01T00:00:00Z", Int64(0)), ("2027-01-01T00:00:00Z", 1_798_761_600), ("2024-02-29T23:59:59+01:00", 1_709_247_599),
        ("2024-02-29t23:59:59.123-00:30", 1_709_252_999), ("9999-12-31T23:59:59Z", 253_402_300_799), ("2000-03-01T00:00:00z", 951_868_800),
    ])
    func `a time is RFC 3339`(text: String, seconds: Int64) {
        #expect(Quantity.time(text) == seconds)
    }

    @Test(arguments: [
        "", "2027-01-01", "2027-01-01T00:00:00", "2027-01-01 00:00:00Z", "2027-13-01T00:00:00Z", "2027-02-29T00:00:00Z", "2100-02-29T00:00:00Z",
        "2027-01-01T24:00:00Z", "2027-01-01T00:60:00Z", "2027-01-01T00:00:00.Z", "2027-01-01T00:00:00+1:00", "2027-01-01T00:00:00+24:00", "1969-12-31T23:59:59Z",
        "2027-01-01T00:00:00ZZ", "२०२७-01-01T00:00:00Z", "tomorrow",
    ])
    func `anything else is no time`(text: String) {
        #expect(Quantity.time(text) == nil)
    }

    @Test func `what is written out reads back`() {
        for duration: Duration in [.zero, .milliseconds(1500), .seconds(90), .seconds(3600), .seconds(86_400 * 30)] {
            #expect(Quantity.duration(Quantity.text(duration)) == duration)
        }
        for size in [0, 1, 1000, 1024, 1 << 20, 3 << 30] { #expect(Quantity.size(Quantity.text(size: size)) == size) }
    }
}
