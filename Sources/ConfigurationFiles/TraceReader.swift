// `trace:` read: where spans are sent, and how many.

internal import Gateway

struct TraceReader {
    let reading: Reading

    /// Nil where there is no section, or something of it is wrong; that is reported.
    func settings(_ section: Section?) -> TraceSettings? {
        guard let section else { return nil }
        guard section.has("otlp") else {
            reading.error(section.position, "`trace` needs `otlp`: \(section.declared("otlp").form.words); take `trace` out to send no spans")
            return nil
        }
        let sample = section.has("sample") ? share(section) : 1
        guard let url = url(section), let sample else { return nil }
        return TraceSettings(otlp: url, sample: sample)
    }

    private func url(_ section: Section) -> String? {
        guard let scalar = section.line("otlp") else { return nil }
        let url: WebURL
        do { url = try WebURL(scalar.text) } catch { return section.wrong("otlp", scalar, error.words) }
        guard url.path.utf8.count > 1, WebURL.isEncoded(url.path, WebURL.isPathByte), WebURL.isEncoded(url.query ?? "", WebURL.isQueryByte) else {
            return section.wrong("otlp", scalar, "must have the receiver's path, mostly `/v1/traces`")
        }
        if url.origin.scheme == .http, !url.host.isLoopback {
            reading.warning(scalar.position, "spans cross the network in plain text, with the names of servers, navigators and tools; use `https://`")
        }
        return scalar.text
    }

    private func share(_ section: Section) -> Double? {
        guard let scalar = section.scalar("sample") else { return nil }
        let isNumber = scalar.text.utf8.allSatisfy { ($0 >= 0x30 && $0 <= 0x39) || $0 == UInt8(ascii: ".") }
        guard isNumber, let share = Double(scalar.text), share <= 1 else { return section.wrong("sample", scalar) }
        return share
    }
}
