// Prometheus's text exposition format, version 0.0.4: a family's help and type once, then its samples together.

struct PrometheusText {
    enum Kind: String { case counter, gauge, histogram }

    private var text = ""
    private var lastFamily = ""

    mutating func family(_ name: String, _ kind: Kind, _ help: String) {
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

    mutating func write(_ declaration: Declaration, _ kind: Kind, _ value: String) {
        family(declaration.name, kind, declaration.help)
        sample(declaration.name, declaration.labels, value)
    }

    mutating func write(_ instances: [InstanceTotals], refusals: [String]) {
        family("claviger_requests_total", .counter, "Exchanges by project, server, class of status, and refusal where the gateway said no.")
        for instance in instances {
            for (statusClass, refusal, count) in instance.answers {
                let labels = instance.labels.pairs + [("status", "\(statusClass)xx"), ("refusal", refusal ?? "")]
                sample("claviger_requests_total", labels, count)
            }
        }
        family("claviger_received_bytes_total", .counter, "Bytes from agents, heads included.")
        for instance in instances { sample("claviger_received_bytes_total", instance.labels.pairs, instance.received) }
        family("claviger_sent_bytes_total", .counter, "Bytes to agents, heads included.")
        for instance in instances { sample("claviger_sent_bytes_total", instance.labels.pairs, instance.sent) }
        family("claviger_exchange_seconds", .histogram, "From a request's head to the last byte of its answer, streams included.")
        for instance in instances {
            histogram("claviger_exchange_seconds", instance.labels.pairs, instance.exchange, sum: instance.exchangeSum)
        }
        family("claviger_upstream_seconds", .histogram, "From the first byte sent to an MCP server to the head of its answer.")
        for instance in instances {
            histogram("claviger_upstream_seconds", instance.labels.pairs, instance.upstream, sum: instance.upstreamSum)
        }
    }

    func finished() -> String { text }

    private mutating func histogram(
        _ name: String, _ labels: [(name: String, value: String)], _ buckets: ArraySlice<UInt64>, sum: UInt64
    ) {
        var total: UInt64 = 0
        for (place, count) in buckets.enumerated() {
            total &+= count
            let bound = place < Buckets.bounds.count ? Buckets.bounds[place].text : "+Inf"
            sample("\(name)_bucket", labels + [("le", bound)], total)
        }
        sample("\(name)_sum", labels, Double(sum) / 1e9)
        sample("\(name)_count", labels, total)
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
