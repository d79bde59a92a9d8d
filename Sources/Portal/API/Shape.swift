// The form of what the API takes and gives, as OpenAPI describes it; a test holds each to the type it is of.

/// JSON Schema's part that the API needs.
indirect enum Shape: Sendable {
    case text(String? = nil, format: String? = nil)
    case word([String])
    case whole
    case flag
    case list(Shape)
    /// In the order of the page; `optional` may be absent.
    case object([Property])
    /// Fields of any name, each a text.
    case texts

    struct Property: Sendable {
        let name: String
        let shape: Shape
        let isRequired: Bool

        static func needed(_ name: String, _ shape: Shape) -> Property { Property(name: name, shape: shape, isRequired: true) }
        static func optional(_ name: String, _ shape: Shape) -> Property { Property(name: name, shape: shape, isRequired: false) }
    }

    static var time: Shape { .text(format: "date-time") }
    static var name: Shape { .text() }
    static var email: Shape { .text(format: "email") }

    var schema: JSONTree {
        switch self {
        case .text(let words, let format):
            return .object([("type", .text("string"))] + (format.map { [("format", .text($0))] } ?? []) + (words.map { [("description", .text($0))] } ?? []))
        case .word(let words): return .object([("type", .text("string")), ("enum", .list(words.map { .text($0) }))])
        case .whole: return .object([("type", .text("integer")), ("minimum", .whole(0))])
        case .flag: return .object([("type", .text("boolean"))])
        case .list(let element): return .object([("type", .text("array")), ("items", element.schema)])
        case .texts:
            return .object([("type", .text("object")), ("additionalProperties", .object([("type", .text("string"))]))])
        case .object(let properties):
            return .object([
                ("type", .text("object")), ("properties", .object(properties.map { ($0.name, $0.shape.schema) })),
                ("required", .list(properties.filter(\.isRequired).map { .text($0.name) })),
            ])
        }
    }
}

/// JSON as it is written, members in the given order.
indirect enum JSONTree: Sendable, Encodable {
    case text(String)
    case whole(Int)
    case flag(Bool)
    case list([JSONTree])
    case object([(String, JSONTree)])

    func encode(to encoder: any Encoder) throws {
        switch self {
        case .text(let text):
            var container = encoder.singleValueContainer()
            try container.encode(text)
        case .whole(let number):
            var container = encoder.singleValueContainer()
            try container.encode(number)
        case .flag(let flag):
            var container = encoder.singleValueContainer()
            try container.encode(flag)
        case .list(let elements):
            var container = encoder.unkeyedContainer()
            for element in elements { try container.encode(element) }
        case .object(let members):
            var container = encoder.container(keyedBy: AnyKey.self)
            for (name, value) in members { try container.encode(value, forKey: AnyKey(name)) }
        }
    }
}

/// A member of any name.
struct AnyKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(_ name: String) { stringValue = name }
    init?(stringValue: String) { self.init(stringValue) }
    init?(intValue: Int) { nil }
}
