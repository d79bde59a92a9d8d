// Field names: which are known, in what spellings, and which only look like it.

internal import HTTP1
internal import Kernel
internal import Testing

/// A name for every known field, as the standards and the contract spell it.
enum FieldNames {
    static let all: [(name: String, id: FieldID)] = [
        ("Host", .host), ("Content-Length", .contentLength), ("Transfer-Encoding", .transferEncoding), ("Connection", .connection), ("Keep-Alive", .keepAlive),
        ("TE", .te), ("Trailer", .trailer), ("Upgrade", .upgrade), ("HTTP2-Settings", .http2Settings), ("Expect", .expect), ("Proxy-Authorization", .proxyPrefix),
        ("Proxy-Authenticate", .proxyPrefix), ("Proxy-Connection", .proxyPrefix), ("Proxy-x", .proxyPrefix), ("Authorization", .authorization), ("Cookie", .cookie),
        ("Set-Cookie", .setCookie), ("x-api-key", .apiKey), ("x-user-email", .userEmail), ("x-user-token", .userToken), ("WWW-Authenticate", .wwwAuthenticate),
        ("Authentication-Info", .authenticationInfo), ("Origin", .origin), ("Referer", .referer), ("Vary", .vary), ("Clear-Site-Data", .clearSiteData), ("Alt-Svc", .altSvc),
        ("Strict-Transport-Security", .strictTransportSecurity), ("Access-Control-Request-Method", .accessControlRequestMethod),
        ("Access-Control-Request-Headers", .accessControlRequestHeaders), ("Access-Control-Allow-Origin", .accessControl), ("Access-Control-Max-Age", .accessControl),
        ("Access-Control-Allow-Private-Network-x", .accessControl), ("Accept", .accept), ("Accept-Encoding", .acceptEncoding), ("Content-Type", .contentType), ("Content-Encoding", .contentEncoding),
        ("Content-Range", .contentRange), ("Cache-Control", .cacheControl), ("Range", .range), ("Date", .date), ("Server", .server), ("Location", .location),
        ("Content-Location", .contentLocation), ("Link", .link), ("Refresh", .refresh), ("Retry-After", .retryAfter), ("MCP-Protocol-Version", .mcpProtocolVersion),
        ("Mcp-Method", .mcpMethod), ("Mcp-Name", .mcpName), ("Mcp-Session-Id", .mcpSessionID), ("Last-Event-ID", .lastEventID), ("X-Request-ID", .requestID),
        ("X-Forwarded-For", .forwardedFor), ("Forwarded", .forwarded), ("Via", .forwarded), ("X-Real-IP", .forwarded), ("X-Forwarded-Proto", .forwarded),
        ("X-Forwarded-Host", .forwarded), ("x-forwarded-a-name-that-is-longer-than-thirty-two-bytes", .forwarded), ("X-Claviger-Door", .clavigerDoor),
        ("x-claviger-uid", .clavigerDoor), ("traceparent", .traceParent), ("tracestate", .traceState),
    ]
}

@Suite struct `Field names` {
    /// The field as a head reads it.
    private func read(_ name: String) throws -> ReadField {
        let reading = readResponse(bytes("HTTP/1.1 204 X\r\n\(name): 0\r\n\r\n"))
        guard case .read(let head) = reading, let field = head.fields.first else { throw Unread(reading: "\(name): \(reading)") }
        return field
    }

    private struct Unread: Error { var reading: String }

    @Test func `every field but other has a name`() {
        for id in FieldID.allCases where id != .other { #expect(FieldNames.all.contains { $0.id == id }, "\(id)") }
    }

    @Test(arguments: FieldNames.all.filter { $0.id != .transferEncoding }.map(\.name))
    func `a name is known in any case`(name: String) throws {
        let id = try #require(FieldNames.all.first { $0.name == name }).id
        for spelling in [name, name.lowercased(), name.uppercased()] {
            let field = try read(spelling)
            #expect(field.id == id && !field.hasUnderscore && field.name == spelling)
        }
        guard name.contains("-"), id != .contentLength else { return }
        let underscored = try read(String(name.map { $0 == "-" ? "_" : $0 }))
        #expect(underscored.id == id && underscored.hasUnderscore)
    }

    @Test(arguments: FieldNames.all.map(\.name))
    func `a name with a byte more, less or other is another`(name: String) throws {
        let id = try #require(FieldNames.all.first { $0.name == name }).id
        let families: [FieldID] = [.proxyPrefix, .accessControl, .forwarded, .clavigerDoor]
        var others = [name + "x", "x" + name, name + "-", name + "~", name + "^"]
        if name.count > 2 { others.append(String(name.dropLast())) }
        for index in name.indices where name[index] != "-" {
            others.append(name.replacingCharacters(at: index, with: "~"))
            others.append(name.replacingCharacters(at: index, with: "^"))
        }
        for other in others {
            let found = try read(other).id
            #expect(found == .other || families.contains(found) || FieldNames.all.contains { $0.name.lowercased() == other.lowercased() }, "\(other)")
            if !families.contains(id) { #expect(found != id, "\(other)") }
        }
    }

    @Test func `every token byte stands in a name, no other does`() throws {
        let token = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8
        for byte in UInt8.min...UInt8.max where byte != UInt8(ascii: ":") {
            // At every place within a word of eight.
            for place in 0..<9 {
                var name = Array(repeating: UInt8(ascii: "a"), count: 10)
                name[place] = byte
                let reading = readResponse(bytes("HTTP/1.1 204 X\r\n") + name + bytes(": 0\r\n\r\n"))
                if case .read = reading { #expect(token.contains(byte), "\(byte)") } else { #expect(!token.contains(byte), "\(byte)") }
            }
        }
    }

    @Test func `every byte but control bytes stands in a value`() throws {
        for byte in UInt8.min...UInt8.max {
            for place in 0..<9 {
                var value = Array(repeating: UInt8(ascii: "a"), count: 10)
                value[place] = byte
                let reading = readResponse(bytes("HTTP/1.1 204 X\r\nN: b") + value + bytes("b\r\n\r\n"))
                let stands = byte == 9 || byte >= 0x20 && byte != 0x7F
                if case .read(let head) = reading {
                    #expect(stands && bytes(head.fields[0].value) == [98] + value + [98])
                } else {
                    #expect(!stands, "\(byte)")
                }
            }
        }
    }

    @Test func `what belongs to one connection`() {
        let hops: [FieldID] = [.connection, .keepAlive, .te, .trailer, .transferEncoding, .upgrade, .http2Settings, .proxyPrefix]
        #expect(FieldID.allCases.filter(\.isHopByHop) == FieldID.allCases.filter(hops.contains))
    }
}

extension String {
    fileprivate func replacingCharacters(at index: Index, with character: Character) -> String {
        var copy = self
        copy.replaceSubrange(index...index, with: [character])
        return copy
    }
}
