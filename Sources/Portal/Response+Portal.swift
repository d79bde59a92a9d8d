// The answers all parts of the portal give alike.

internal import HTTPTypes
internal import Hummingbird

extension Response {
    static var notFound: Response { .error(.notFound, "not_found", "There is nothing here.") }

    static func notAllowed(_ methods: String) -> Response {
        var response = Response.error(.methodNotAllowed, "method_not_allowed", "This takes \(methods).")
        response.headers[.allow] = methods
        return response
    }

    /// The contract's form of an error: a code for programs, a sentence for people. Neither repeats a value.
    static func error(_ status: HTTPResponse.Status, _ code: String, _ message: String) -> Response {
        .json(status, ErrorBody(error: .init(code: code, message: message)))
    }

    static func json(_ status: HTTPResponse.Status, _ value: some Encodable) -> Response {
        Response(
            status: status, headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: .init(byteBuffer: .init(bytes: json(value))))
    }
}

/// `{"error":{"code","message"}}`.
package struct ErrorBody: Codable, Equatable, Sendable {
    package struct Content: Codable, Equatable, Sendable {
        package let code: String
        package let message: String
    }

    package let error: Content
}
