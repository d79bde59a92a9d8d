// A family of metrics as it is declared: what its head in the text and its row of the reference are made from.

/// All samples of one name. A label's values come from a list, or are names that the operator gave: none is a caller's to choose.
package struct Family: Sendable {
    package enum Kind: String, Sendable { case counter, gauge, histogram }

    package struct Label: Sendable {
        package let name: String
        /// As the reference shows them: each in backquotes, or words for what they are.
        package let values: String

        init(_ name: String, words: String) {
            self.name = name
            values = words
        }

        init(_ name: String, _ values: [String]) {
            self.name = name
            self.values = values.map { "`\($0)`" }.joined(separator: ", ")
        }
    }

    package let name: String
    package let kind: Kind
    /// One sentence or two.
    package let help: String
    package let labels: [Label]

    init(_ name: String, _ kind: Kind, _ help: String, _ labels: Label...) {
        self.init(name, kind, help, labels: labels)
    }

    init(_ name: String, _ kind: Kind, _ help: String, labels: [Label]) {
        self.name = name
        self.kind = kind
        self.help = help
        self.labels = labels
    }
}

extension Family {
    /// Every family there is, in the order of the text.
    package static let all: [Family] =
        ProcessValue.allCases.map(\.family) + [build] + families(of: Counter.allCases.map(\.declaration), .counter) + families(of: Gauge.allCases.map(\.declaration), .gauge)
        + [certificateExpiry] + [storeCalls, storeSeconds, budgetSeconds] + [requests, received, sent, exchangeSeconds, ownSeconds, upstreamSeconds]
        + [portalRequests]

    static let build = Family(
        "claviger_build_info", .gauge, "Always 1; the label says which version runs.", Label("version", words: "as `claviger version` prints it"))

    /// Declarations of one name stand together: they are one family, whose labels have the values they name.
    static func families(of declarations: [Declaration], _ kind: Kind) -> [Family] {
        var groups: [[Declaration]] = []
        for declaration in declarations {
            if groups.last?.first?.name == declaration.name {
                groups[groups.count - 1].append(declaration)
            } else {
                groups.append([declaration])
            }
        }
        return groups.map { group in
            let labels = group[0].labels.indices.map { place in
                var values: [String] = []
                for value in group.map(\.labels[place].value) where !values.contains(value) { values.append(value) }
                return Label(group[0].labels[place].name, values)
            }
            return Family(group[0].name, kind, group[0].help, labels: labels)
        }
    }

    /// The reference: every family with its type, its labels and its sentence, as a page of Markdown.
    package static var reference: String {
        var text = """
            # Metrics

            What the daemon counts about itself, in Prometheus's text format at `/metrics` of `admin.address` and of `admin.sock`.
            This page is made from the declarations by `make reference`. [`dashboard.json`](Resources/dashboard.json) shows them
            in Grafana; [Operating](../../claviger/Documentation.docc/Operating.md) has rules for alarms, and what each means.

            A label's values come from a list or are names of the configuration: no address, key or secret stands in one, and callers
            cannot add to them. Counters are since the start. Durations are in seconds; a histogram's buckets end at
            \(Buckets.bounds.map(\.text).joined(separator: ", ")).

            **Operations and calls of the secret store.** An operation is what is asked of it for one credential. A call is what it takes:
            with Parameter Store one HTTP request, up to ten operations in it, and each retry a call of its own; with sealed files one call
            for each operation.

            | metric | type | labels | |
            |---|---|---|---|

            """
        for family in all {
            let labels = family.labels.map { "`\($0.name)`: \($0.values)" }.joined(separator: "<br>")
            text += "| `\(family.name)` | \(family.kind.rawValue) | \(labels) | \(family.help) |\n"
        }
        return text
    }
}
