// How much of a list goes on one page: as many rows as leave it small, and the way to the others.

internal import FoundationEssentials

/// Pages have 30 KB at most, their stylesheet included, however many users or links there are.
enum PageRoom {
    /// What rows may have together, in bytes.
    private static let bytes = 11_000
    private static let most = 50

    /// How many of `rows` have room, from the first on; one at least.
    /// - Parameter markup: what a row's template has around its texts, in bytes.
    static func count(of rows: [PageModel], markup: Int) -> Int {
        var left = bytes
        for (at, row) in rows.enumerated() {
            left -= markup + weight(row)
            if at > 0, left < 0 || at == most { return at }
        }
        return rows.count
    }

    /// The rows from `start` on that have room, and where the next page starts; nil at the end.
    static func part(of rows: [PageModel], from start: Int, markup: Int) -> (rows: [PageModel], next: Int?) {
        let rest = Array(rows.dropFirst(max(0, start)).prefix(most + 1))
        let count = count(of: rest, markup: markup)
        let end = max(0, start) + count
        return (Array(rest.prefix(count)), end < rows.count ? end : nil)
    }

    /// The way to the next page and back to the first; nil for a list that is on one page.
    static func pager(first: String?, next: String?, words: String) -> PageModel? {
        guard first != nil || next != nil else { return nil }
        return ["first": first ?? false, "next": next ?? false, "shown": words]
    }

    /// The bytes that a model's texts have on a page, and what a state's mark has.
    private static func weight(_ value: Any) -> Int {
        switch value {
        case let text as String: return text.unicodeScalars.reduce(0) { $0 + ("&<>\"'`".unicodeScalars.contains($1) ? 6 : String($1).utf8.count) }
        case let model as PageModel: return (model["tone"] == nil ? 0 : 190) + model.values.reduce(0) { $0 + weight($1) }
        case let models as [PageModel]: return models.reduce(0) { $0 + 10 + weight($1) }
        default: return 0
        }
    }
}
