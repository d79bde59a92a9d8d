// A page: a template filled in, sent with what keeps it from being framed, scripted, kept or told about.

internal import HTTPTypes
internal import Hummingbird
internal import Mustache

/// What a template is filled with. Text is escaped where it is put in.
typealias PageModel = [String: Any]

enum Page {
    /// - Parameter model: beside what every page has.
    static func response(_ template: PageTemplate, _ model: PageModel, status: HTTPResponse.Status = .ok) -> Response {
        let text = html(template, model)
        return Response(
            status: status, headers: [.contentType: "text/html; charset=utf-8", .cacheControl: "no-store"], body: .init(byteBuffer: .init(string: text)))
    }

    static func html(_ template: PageTemplate, _ model: PageModel) -> String {
        let whole = model.merging(["css": "/connect/claviger.css?\(Stylesheet.version)"]) { own, _ in own }
        return library.render(whole, withTemplate: template.rawValue) ?? ""
    }

    /// The templates are ours and parsed once; a test renders each.
    private static let library: MustacheLibrary = {
        MustacheContentTypes.register(PageText(), named: "PAGE")
        var library = MustacheLibrary()
        for template in PageTemplate.allCases {
            do {
                try library.register("{{% CONTENT_TYPE:PAGE}}\(template.text)", named: template.rawValue)
            } catch {
                preconditionFailure("our own template \(template.rawValue) parses: \(error)")
            }
        }
        return library
    }()
}

/// Escapes by scalars. By characters, as the library's own does, a quote with a combining mark behind it would pass.
private struct PageText: MustacheContentType {
    func escapeText(_ text: String) -> String {
        var out = ""
        out.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "&": out += "&amp;"
            case "\"": out += "&quot;"
            case "'": out += "&#39;"
            case "`": out += "&#96;"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }
}

extension Response {
    /// With the fields that every answer of the portal has, errors too.
    /// - Parameter isEncrypted: whether people reach the portal by `https://`.
    func guarded(isEncrypted: Bool) -> Response {
        var response = self
        for (name, value) in Response.guards where response.headers[name] == nil { response.headers[name] = value }
        if response.headers[.cacheControl] == nil { response.headers[.cacheControl] = "no-store" }
        if isEncrypted { response.headers[.strictTransportSecurity] = "max-age=31536000" }
        return response
    }

    private static let guards: [(HTTPField.Name, String)] = [
        (
            .contentSecurityPolicy,
            "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
        ), (.xContentTypeOptions, "nosniff"), (.clavigerFrames, "DENY"), (.clavigerReferrer, "no-referrer"),
        (.clavigerOpener, "same-origin"), (.clavigerResource, "same-origin"),
    ]

    /// To another page of ours, to be read by GET.
    static func seeOther(_ path: String) -> Response {
        Response(status: .seeOther, headers: [.location: path, .cacheControl: "no-store"])
    }

    /// A file of ours that every page loads and that has its version in its URL.
    static func asset(_ text: String, type: String) -> Response {
        asset(Array(text.utf8), type: type)
    }

    static func asset(_ bytes: [UInt8], type: String) -> Response {
        Response(
            status: .ok, headers: [.contentType: type, .cacheControl: "public, max-age=31536000, immutable"], body: .init(byteBuffer: .init(bytes: bytes)))
    }
}
