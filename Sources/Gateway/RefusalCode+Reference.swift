// The reference page of the refusals, made from their declarations.

extension RefusalCode {
    /// Every refusal with its status, when it is given and what to do, as a page of Markdown.
    package static var reference: String {
        var text = """
            # Refusals

            Every "no" that the gateway says itself. Its code stands in the header `x-claviger-refusal`, in the answer's body, in the access record and in
            `claviger_requests_total` (of requests to the portal's pages, in the first three); the record's detail says which of the cases it was. The first
            that applies is given, in this order.
            This page is made from the declarations by `make reference`.

            *Whose* says who can change what led to it. *Again* says whether the same request may well be served a little later, with nobody having changed
            anything.

            | code | status | whose | again | when | what to do |
            |---|---|---|---|---|---|

            """
        for code in allCases {
            let cells = ["`\(code.rawValue)`", "\(code.status)", code.side.rawValue, code.isRetryable ? "yes" : "no", code.documentation, code.remedy]
            text += "| \(cells.joined(separator: " | ")) |\n"
        }
        return text
    }
}
