// Prometheus's text exposition format, version 0.0.4: a family's help and type once, then its samples together.

struct PrometheusText {
    private var text = ""
    private var lastFamily = ""

    mutating func head(_ family: Family) {
        head(family.name, family.kind, family.help)
    }

    private mutating func head(_ name: String, _ kind: Family.Kind, _ help: String) {
        guard name != lastFamily else { return }
        lastFamily = name
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
    }

    mutating func sample(_ name: String, _ labels: [(name: String, value: String)], _ value: some CustomStringConvertible) {
        text += name
        if !labels.isEmpty {
            text += "{" + labels.map { "\($0.name)=\"\(PrometheusText.escaped($0.value))\"" }.joined(separator: ",") + "}"
        }
        text += " \(value)\n"
    }

    mutating func write(_ declaration: Declaration, _ kind: Family.Kind, _ value: String) {
        head(declaration.name, kind, declaration.help)
        sample(declaration.name, declaration.labels, value)
    }

    mutating func writeStore(of metrics: Metrics) {
        head(.storeCalls)
        for operation in StoreOperation.allCases {
            for outcome in StoreOutcome.allCases {
                sample(Family.storeCalls.name, [("operation", operation.text), ("outcome", outcome.text)], metrics.value(operation, outcome))
            }
        }
        for operation in StoreOperation.allCases { histogram(.storeSeconds, [("operation", operation.text)], metrics.seconds(operation)) }
        for budget in StoreBudget.allCases { histogram(.budgetSeconds, [("budget", budget.text)], metrics.waits(budget)) }
    }

    mutating func write(_ instances: [InstanceTotals]) {
        head(.requests)
        for instance in instances {
            for (statusClass, refusal, count) in instance.answers {
                let labels = instance.labels.pairs + [("status", InstanceLayout.word(of: statusClass)), ("refusal", refusal ?? "")]
                sample(Family.requests.name, labels, count)
            }
        }
        head(.received)
        for instance in instances { sample(Family.received.name, instance.labels.pairs, instance.received) }
        head(.sent)
        for instance in instances { sample(Family.sent.name, instance.labels.pairs, instance.sent) }
        head(.exchangeSeconds)
        for instance in instances { histogram(.exchangeSeconds, instance.labels.pairs, instance.exchange) }
        head(.ownSeconds)
        for instance in instances { histogram(.ownSeconds, instance.labels.pairs, instance.own) }
        head(.upstreamSeconds)
        for instance in instances { histogram(.upstreamSeconds, instance.labels.pairs, instance.upstream) }
    }

    func finished() -> String { text }

    private mutating func histogram(_ family: Family, _ labels: [(name: String, value: String)], _ distribution: Distribution) {
        head(family)
        var total: UInt64 = 0
        for (place, count) in distribution.buckets.enumerated() {
            total &+= count
            let bound = place < Buckets.bounds.count ? Buckets.bounds[place].text : "+Inf"
            sample("\(family.name)_bucket", labels + [("le", bound)], total)
        }
        sample("\(family.name)_sum", labels, Double(distribution.sum) / 1e9)
        sample("\(family.name)_count", labels, total)
    }

    /// A label's value: backslash, quote and line feed escaped.
    static func escaped(_ value: String) -> String {
        var result = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n": result += "\\n"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}

extension InstanceLabels {
    var pairs: [(name: String, value: String)] { [("project", project), ("server", server)] }
}
