// "Did you mean": the known name that is the fewest slips of the finger away.

/// The nearest of `names` to `word`, when it is near enough to be meant; ties go to the first in order.
func nearestName(to word: String, among names: some Sequence<String>) -> String? {
    let wanted = Array(word.unicodeScalars.prefix(64))
    let reach = wanted.count < 3 ? 1 : max(1, wanted.count / 3)
    var best: (name: String, distance: Int)?
    for name in names.sorted() {
        let distance = editDistance(wanted, Array(name.unicodeScalars))
        if distance <= reach, distance < best?.distance ?? .max { best = (name, distance) }
    }
    // A word cut short is more than one slip away, and clear all the same.
    return best?.name ?? (wanted.count < 3 ? nil : names.sorted().first { $0.hasPrefix(word) })
}

/// `; did you mean …?` or `; there is …`, or nothing when there is nothing to offer.
func remedy(for word: String, among names: some Collection<String>) -> String {
    if let near = nearestName(to: word, among: names) { return "; did you mean `\(near)`?" }
    guard !names.isEmpty else { return "" }
    let shown = names.sorted().prefix(12).map { "`\($0)`" }.joined(separator: ", ")
    return names.count > 12 ? "; there are \(shown), …" : "; there is \(shown)"
}

/// Insertions, deletions, substitutions and swaps of neighbours, each counted once (optimal string alignment).
private func editDistance(_ left: [Unicode.Scalar], _ right: [Unicode.Scalar]) -> Int {
    var before: [Int] = []
    var previous = Array(0...right.count)
    for row in 1..<(left.count + 1) {
        var current = [row]
        for column in 1..<(right.count + 1) {
            let same = left[row - 1] == right[column - 1]
            var cost = min(previous[column] + 1, current[column - 1] + 1, previous[column - 1] + (same ? 0 : 1))
            if row > 1, column > 1, left[row - 1] == right[column - 2], left[row - 2] == right[column - 1] {
                cost = min(cost, before[column - 2] + 1)
            }
            current.append(cost)
        }
        before = previous
        previous = current
    }
    return previous[right.count]
}
