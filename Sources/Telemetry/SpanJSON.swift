// Spans as OTLP has them in JSON (OpenTelemetry Protocol, "JSON Protobuf Encoding"): ids in hexadecimal, 64-bit numbers as text.

internal import Gateway
internal import HTTP1

/// The body of one export request. Attributes follow OpenTelemetry's semantic conventions for HTTP servers and for MCP; what they have no name
/// for is called `claviger.…`. No user, no address, no header and no query stands in one; a URL is the configuration's, without what is filled in.
struct SpanJSON {
    private var writer = LineWriter(format: .json)
    private var line: ByteBuffer { writer.line }

    /// - Parameter version: as `claviger version` prints it.
    static func body(of spans: [Span], version: String, instance: String) -> ByteBuffer {
        let json = SpanJSON()
        json.line.append("{\"resourceSpans\":[{\"resource\":{\"attributes\":[")
        json.attribute("service.name", "claviger", isFirst: true)
        json.attribute("service.version", version)
        json.attribute("service.instance.id", instance)
        json.line.append("]},\"scopeSpans\":[{\"scope\":{\"name\":\"claviger\",\"version\":\"")
        json.writer.escape(version)
        json.line.append("\"},\"spans\":[")
        for (place, span) in spans.enumerated() {
            if place > 0 { json.line.append(",") }
            json.write(span)
        }
        json.line.append("]}]}]}")
        return json.line
    }

    private func write(_ span: Span) {
        let (context, record) = (span.context, span.record)
        line.append("{\"traceId\":\"")
        writer.append(hexadecimal: context.trace.high)
        writer.append(hexadecimal: context.trace.low)
        line.append("\",\"spanId\":\"")
        writer.append(hexadecimal: context.span)
        if context.parent != 0 {
            line.append("\",\"parentSpanId\":\"")
            writer.append(hexadecimal: context.parent)
        }
        // The sampled flag, that the parent's being remote is known, and whether it is.
        line.append("\",\"flags\":")
        line.append(decimal: 0x101 | (context.parent == 0 ? 0 : 0x200))
        line.append(",\"kind\":2,\"name\":\"")
        writeName(record)
        line.append("\",\"startTimeUnixNano\":\"")
        line.append(decimal: Int(span.began))
        line.append("\",\"endTimeUnixNano\":\"")
        line.append(decimal: Int(span.began) + Int(clamping: record.nanoseconds))
        line.append("\",\"attributes\":[")
        writeAttributes(record)
        line.append("],\"status\":{")
        if let error = SpanJSON.error(record) {
            line.append("\"code\":2,\"message\":\"")
            writer.escape(error)
            line.append("\"")
        }
        line.append("}}")
    }

    /// What was asked for where that is known, else the method and the route.
    private func writeName(_ record: AccessRecord) {
        guard let operation = record.operation else {
            writer.escape("\(record.method.word) /mcp/{server}")
            return
        }
        writer.escape(operation.method)
        if let name = operation.name { writer.escape(" \(name)") }
    }

    private func writeAttributes(_ record: AccessRecord) {
        let method = record.method.word.description
        attribute("http.request.method", record.method == .other ? "_OTHER" : method, isFirst: true)
        attribute("http.route", "/mcp/{server}")
        if let server = record.server { attribute("url.path", "/mcp/\(server)") }
        if record.status > 0 { attribute("http.response.status_code", record.status) }
        attribute("http.request.size", record.received)
        attribute("http.response.size", record.sent)
        if let error = SpanJSON.error(record) ?? record.refusal?.rawValue { attribute("error.type", error) }
        if let operation = record.operation {
            attribute("mcp.method.name", operation.method)
            if let name = operation.name {
                let isTool = operation.method.utf8.elementsEqual("tools/call".utf8)
                attribute(isTool ? "gen_ai.tool.name" : "gen_ai.prompt.name", name)
                if isTool { attribute("gen_ai.operation.name", "execute_tool") }
            }
        }
        attribute("claviger.request_id", record.requestID.description)
        if let project = record.project { attribute("claviger.project", project.text) }
        if let server = record.server { attribute("claviger.server", server.text) }
        if let navigator = record.navigator { attribute("claviger.navigator", navigator.text) }
        if let refusal = record.refusal { attribute("claviger.refusal", refusal.rawValue) }
        if let use = record.use { attribute("claviger.use", use.rawValue) }
        if let upstream = record.upstreamNanoseconds { attribute("claviger.upstream_ms", milliseconds: upstream) }
        if let credential = record.credentialNanoseconds { attribute("claviger.credential_ms", milliseconds: credential) }
        if record.isReplayed { attribute("claviger.replayed", "yes") }
    }

    /// Why the exchange is an error of ours or of the server's; a client's fault is none of a server's span.
    static func error(_ record: AccessRecord) -> String? {
        switch record.ending {
        case .upstreamBroke: return "upstream_broke"
        case .cut: return "cut"
        case .complete, .clientLeft: break
        }
        guard record.status >= 500 else { return nil }
        return record.refusal?.rawValue ?? String(record.status)
    }

    private func attribute(_ key: StaticString, _ value: String, isFirst: Bool = false) {
        begin(key, "stringValue\":\"", isFirst)
        writer.escape(value)
        line.append("\"}}")
    }

    private func attribute(_ key: StaticString, _ value: Int) {
        begin(key, "intValue\":\"", false)
        line.append(decimal: value)
        line.append("\"}}")
    }

    private func attribute(_ key: StaticString, milliseconds: UInt64) {
        begin(key, "doubleValue\":", false)
        writer.append(milliseconds: milliseconds)
        line.append("}}")
    }

    private func begin(_ key: StaticString, _ kind: StaticString, _ isFirst: Bool) {
        line.append(isFirst ? "{\"key\":\"" : ",{\"key\":\"")
        line.append(key)
        line.append("\",\"value\":{\"")
        line.append(kind)
    }
}
