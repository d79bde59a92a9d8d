// What another service answered, whole.

package import Gateway

package struct OutboundResponse: Sendable {
    package let status: Int
    /// Names in lower case, in the order they came; of the last answer, where redirects were followed.
    package let fields: [(name: String, value: String)]
    /// Wiped when it is released: an answer may hold secrets.
    package let body: Secret

    package init(status: Int, fields: [(name: String, value: String)] = [], body: Secret) {
        self.status = status
        self.fields = fields
        self.body = body
    }

    /// The first field of that name, which is given in lower case.
    package subscript(name: String) -> String? {
        fields.first { $0.name.utf8.elementsEqual(name.utf8) }?.value
    }
}
