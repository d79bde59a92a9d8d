// What Parameter Store answers, read without a value becoming a String.

internal import Gateway
internal import Kernel

/// The store is trusted with secrets, not with its answers' form: what was not asked for is left out, and what is said twice was not said.
enum ParameterStoreAnswer {
    /// What became of the references that were asked for. One that is in none of these was not answered.
    struct Found {
        var values: [Reference: StoredSecret] = [:]
        var missing: Set<Reference> = []
    }

    /// Of `GetParameters`.
    static func found(_ body: RawSpan, asked: [Reference]) throws(NotJSON) -> Found {
        var found = Found()
        var seen: [Reference: Int] = [:]
        let names = Dictionary(asked.map { ($0.path, $0) }) { first, _ in first }
        try JSONScanner.members(of: body) { (name, scanner) throws(NotJSON) in
            if scanner.says("Parameters", in: name) {
                try elements(&scanner) { (scanner) throws(NotJSON) in
                    guard let (path, content) = try parameter(&scanner), let reference = names[path] else { return }
                    seen[reference, default: 0] += 1
                    switch content {
                    case .secure(let secret): found.values[reference] = .value(secret)
                    case .plain: found.values[reference] = .damaged(notSecure(reference))
                    case nil: break
                    }
                }
            } else if scanner.says("InvalidParameters", in: name) {
                try elements(&scanner) { (scanner) throws(NotJSON) in
                    guard let reference = names[try string(&scanner)] else { return }
                    seen[reference, default: 0] += 1
                    found.missing.insert(reference)
                }
            } else {
                try scanner.skipValue()
            }
        }
        for (reference, times) in seen where times > 1 {
            found.values[reference] = nil
            found.missing.remove(reference)
        }
        return found
    }

    /// Of `DeleteParameters`: which were there, and which were not.
    static func deleted(_ body: RawSpan, asked: [Reference]) throws(NotJSON) -> (deleted: Set<Reference>, missing: Set<Reference>) {
        var (deleted, missing): (Set<Reference>, Set<Reference>) = ([], [])
        let names = Dictionary(asked.map { ($0.path, $0) }) { first, _ in first }
        try JSONScanner.members(of: body) { (name, scanner) throws(NotJSON) in
            let isDeleted = scanner.says("DeletedParameters", in: name)
            guard isDeleted || scanner.says("InvalidParameters", in: name) else { return try scanner.skipValue() }
            try elements(&scanner) { (scanner) throws(NotJSON) in
                guard let reference = names[try string(&scanner)] else { return }
                if isDeleted { deleted.insert(reference) } else { missing.insert(reference) }
            }
        }
        return (deleted, missing)
    }

    /// Of `PutParameter`: it says a version and a tier; that it is JSON is all that matters.
    static func put(_ body: RawSpan) throws(NotJSON) {
        try JSONScanner.members(of: body) { (_, scanner) throws(NotJSON) in try scanner.skipValue() }
    }

    /// Of `GetParametersByPath`: the names that can be references, and what the next page is asked with.
    static func page(_ body: RawSpan) throws(NotJSON) -> (references: [Reference], next: [UInt8]?) {
        var references: [Reference] = []
        var next: [UInt8]?
        try JSONScanner.members(of: body) { (name, scanner) throws(NotJSON) in
            if scanner.says("Parameters", in: name) {
                try elements(&scanner) { (scanner) throws(NotJSON) in
                    guard let (path, _) = try parameter(&scanner), let reference = Reference(path: path) else { return }
                    references.append(reference)
                }
            } else if scanner.says("NextToken", in: name), scanner.next == UInt8(ascii: "\"") {
                let token = try scanner.string()
                next = token.isEmpty ? nil : scanner.bytes.extracting(token).copied()
            } else {
                try scanner.skipValue()
            }
        }
        return (references, next)
    }

    private static func notSecure(_ reference: Reference) -> StoreFault {
        StoreFault(.damaged, "\(reference): is no SecureString, so it lies unencrypted: delete it, and put it again with `--type SecureString`")
    }

    private enum Content {
        case secure(Secret)
        /// Of another type than SecureString.
        case plain
    }

    /// A parameter's name and its content: nil what is not said in a form of its own, or said twice.
    private static func parameter(_ scanner: inout JSONScanner) throws(NotJSON) -> (path: String, content: Content?)? {
        var path: String?
        var value: Range<Int>?
        var isSecure: Bool?
        var (names, values, types) = (0, 0, 0)
        try scanner.expect(UInt8(ascii: "{"))
        var isFirst = true
        while let name = try scanner.nextName(isFirst: &isFirst) {
            let (isName, isValue, isType) = (scanner.says("Name", in: name), scanner.says("Value", in: name), scanner.says("Type", in: name))
            if isName { names += 1 } else if isValue { values += 1 } else if isType { types += 1 }
            guard scanner.next == UInt8(ascii: "\"") else {
                try scanner.skipValue()
                continue
            }
            let text = try scanner.string()
            if isName {
                path = try self.text(text, of: scanner)
            } else if isValue {
                value = text
            } else if isType {
                isSecure = scanner.says("SecureString", in: text)
            }
        }
        guard let path, names == 1 else { return nil }
        guard let isSecure, types == 1, values <= 1 else { return (path, nil) }
        guard isSecure else { return (path, .plain) }
        guard let value else { return (path, nil) }
        return (path, .secure(Secret(try scanner.text(in: value))))
    }

    /// The elements of an array; `null` has none.
    private static func elements(_ scanner: inout JSONScanner, _ element: (inout JSONScanner) throws(NotJSON) -> Void) throws(NotJSON) {
        guard scanner.take(UInt8(ascii: "[")) else { return try scanner.skipValue() }
        var isFirst = true
        while try scanner.nextElement(isFirst: &isFirst, closing: UInt8(ascii: "]")) { try element(&scanner) }
    }

    private static func string(_ scanner: inout JSONScanner) throws(NotJSON) -> String {
        let range = try scanner.string()
        return try text(range, of: scanner)
    }

    /// A name: never of a value.
    private static func text(_ range: Range<Int>, of scanner: borrowing JSONScanner) throws(NotJSON) -> String {
        let text = try scanner.text(in: range)
        return String(decoding: text.bytes.copied(), as: UTF8.self)
    }
}
