// The declared forms, read: each either gives a value inside its declared bounds or reports what the key takes.

internal import Gateway

extension Section {
    func flag(_ key: String) -> Bool? {
        guard let scalar = scalar(key) else { return nil }
        switch (scalar.text, scalar.isPlain) {
        case ("true", true): return true
        case ("false", true): return false
        default: return wrong(key, scalar)
        }
    }

    func choice<Value: RawRepresentable<String>>(_ key: String, _ type: Value.Type) -> Value? {
        guard case .choice(let values, let later) = declared(key).form, let scalar = scalar(key) else { return nil }
        if let value = Value(rawValue: scalar.text) { return value }
        if later.contains(scalar.text) {
            reading.error(scalar.position, "`\(key): \(scalar.text)` is not supported by this version; it must be \(declared(key).form.words)")
            return nil
        }
        let near = scalar.isLiteral ? nearestName(to: scalar.text, among: values) : nil
        return wrong(key, scalar, near.map { "must be \(declared(key).form.words) (did you mean `\($0)`?)" })
    }

    /// A whole number, or `.none` for the declared word.
    func count(_ key: String) -> OrWord<Int>? {
        guard case .count(let range, let word) = declared(key).form, let scalar = scalar(key) else { return nil }
        if let word, scalar.text == word { return .word }
        guard scalar.isPlain else { return wrong(key, scalar, "must be \(declared(key).form.words), without quotes") }
        guard let count = Quantity.number(scalar.text), range.contains(count) else { return wrong(key, scalar) }
        return .value(count)
    }

    func size(_ key: String) -> Int? {
        guard case .size(let range) = declared(key).form, let scalar = scalar(key) else { return nil }
        guard let size = Quantity.size(scalar.text), range.contains(size) else { return wrong(key, scalar) }
        return size
    }

    func duration(_ key: String) -> Duration? {
        guard case .duration(let range) = declared(key).form, let scalar = scalar(key) else { return nil }
        guard let duration = Quantity.duration(scalar.text), range.contains(duration) else { return wrong(key, scalar) }
        return duration
    }

    func rate(_ key: String) -> OrWord<Rate>? {
        guard case .rate(let word) = declared(key).form, let scalar = scalar(key) else { return nil }
        if let word, scalar.text == word { return .word }
        guard let rate = Quantity.rate(scalar.text) else { return wrong(key, scalar) }
        return .value(rate)
    }

    /// A whole number or a rate; `.none` for the declared word.
    func countOrRate(_ key: String) -> OrWord<CountOrRate>? {
        guard case .countOrRate(let range, let word) = declared(key).form, let scalar = scalar(key) else { return nil }
        if scalar.text == word { return .word }
        if let rate = Quantity.rate(scalar.text) { return .value(.rate(rate)) }
        guard scalar.isPlain else { return wrong(key, scalar, "must be \(declared(key).form.words), without quotes") }
        guard let count = Quantity.number(scalar.text), range.contains(count) else { return wrong(key, scalar) }
        return .value(.count(count))
    }

    /// Seconds since 1970.
    func time(_ key: String) -> Int64? {
        guard let scalar = scalar(key) else { return nil }
        guard let time = Quantity.time(scalar.text) else { return wrong(key, scalar) }
        return time
    }

    /// An absolute path without `.` and `..` steps.
    func path(_ key: String) -> Scalar? {
        guard let scalar = line(key) else { return nil }
        let steps = scalar.text.split(separator: "/")
        guard scalar.text.utf8.first == UInt8(ascii: "/"), !steps.contains(".."), !steps.contains(".") else { return wrong(key, scalar) }
        return scalar
    }
}

enum CountOrRate {
    case count(Int)
    case rate(Rate)
}

/// A value, or the one word that stands for there being none.
enum OrWord<Value> {
    case value(Value)
    case word

    /// Nil for the word.
    var value: Value? {
        switch self {
        case .value(let value): value
        case .word: nil
        }
    }
}
