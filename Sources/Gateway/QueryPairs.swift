// The pairs of a query, as the many parsers behind us may read them: which of a client's pairs must not go through.

internal import HTTP1
internal import Kernel

/// `name=value` pairs, separated by `&` or `;`.
///
/// Names are compared decoded: `+` is a space, `%xx` a byte, what follows a `[` or a NUL does not count, nor do spaces in front. So a pair is
/// dropped if any of the usual parsers could take it for one of ours. Case counts.
enum QueryPairs {
    /// Appends the client's pairs but those named in `names`, each run of kept ones in one piece.
    ///
    /// - Parameter hasQuery: whether the target written so far has a pair already, so that `&` and not `?` comes first.
    static func append(_ query: RawSpan, except names: [[UInt8]], hasQuery: Bool, hasMark: Bool, to buffer: ByteBuffer) {
        var separator: UInt8? = hasQuery ? UInt8(ascii: "&") : hasMark ? nil : UInt8(ascii: "?")
        var runStart = 0
        var at = 0
        let count = query.byteCount
        if names.isEmpty {
            append(query, after: &separator, to: buffer)
            return
        }
        while at < count {
            let end = endOfPair(query, from: at)
            if isTaken(query.extracting(at..<end), names) {
                // The separator before a dropped pair goes with it.
                append(query.extracting(runStart..<max(at - 1, runStart)), after: &separator, to: buffer)
                runStart = min(end + 1, count)
            }
            at = end + 1
        }
        append(query.extracting(runStart..<count), after: &separator, to: buffer)
    }

    /// The canonical names of a query's pairs, each once.
    static func names(of query: RawSpan) -> [[UInt8]] {
        var names: [[UInt8]] = []
        var at = 0
        while at < query.byteCount {
            let end = endOfPair(query, from: at)
            let name = canonical(query.extracting(at..<end), isEncoded: true)
            if !names.contains(name) { names.append(name) }
            at = end + 1
        }
        return names
    }

    /// The name of a pair in the form in which names are compared.
    /// - Parameter isEncoded: false for a name as configured, where `%`, `+` and `=` mean themselves.
    static func canonical(_ pair: RawSpan, isEncoded: Bool) -> [UInt8] {
        var name: [UInt8] = []
        var reader = NameReader(at: 0, isEncoded: isEncoded)
        while let byte = reader.next(pair) { name.append(byte) }
        return name
    }

    private static func isTaken(_ pair: RawSpan, _ names: [[UInt8]]) -> Bool {
        for name in names {
            var reader = NameReader(at: 0, isEncoded: true)
            var at = 0
            while let byte = reader.next(pair) {
                guard at < name.count, name[at] == byte else { at = -1; break }
                at += 1
            }
            if at == name.count, pair.byteCount > 0 { return true }
        }
        return false
    }

    private static func append(_ run: RawSpan, after separator: inout UInt8?, to buffer: ByteBuffer) {
        guard run.byteCount > 0 else { return }
        if let byte = separator { buffer.append(byte: byte) }
        buffer.append(run)
        separator = UInt8(ascii: "&")
    }

    private static func endOfPair(_ query: RawSpan, from start: Int) -> Int {
        var at = start
        while at < query.byteCount, query[at] != UInt8(ascii: "&"), query[at] != UInt8(ascii: ";") { at += 1 }
        return at
    }

    /// Reads a pair's name byte by byte, decoded.
    private struct NameReader {
        var at: Int
        let isEncoded: Bool
        var hasBegun = false

        init(at: Int, isEncoded: Bool) {
            self.at = at
            self.isEncoded = isEncoded
        }

        mutating func next(_ pair: RawSpan) -> UInt8? {
            while at < pair.byteCount {
                var byte = pair[at]
                at += 1
                if isEncoded {
                    if byte == UInt8(ascii: "=") { break }
                    if byte == UInt8(ascii: "+") { byte = 0x20 }
                    if byte == UInt8(ascii: "%"), at + 1 < pair.byteCount, let high = pair[at].hexadecimalValue,
                        let low = pair[at + 1].hexadecimalValue
                    {
                        byte = high << 4 | low
                        at += 2
                    }
                }
                if byte == 0 || (byte == UInt8(ascii: "[") && hasBegun) { break }
                if byte == 0x20 && !hasBegun { continue }
                hasBegun = true
                return byte
            }
            at = pair.byteCount
            return nil
        }
    }
}
