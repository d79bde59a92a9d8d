// Lists of addresses and of domains: checked, in their one form.

internal import Gateway

struct AddressReader {
    let reading: Reading

    /// - Returns: nil where the key is not there; what is wrong is reported and left out.
    func domains(_ section: Section, _ key: String) -> [EmailDomain]? {
        section.texts(key)?.compactMap { scalar in
            if let domain = EmailDomain(scalar.text) { return domain }
            let hint = scalar.text.contains("@") ? "; write what follows the `@`" : scalar.text.contains("*") ? "; each domain is named by itself, subdomains too" : ""
            reading.error(scalar.position, "`\(key)` must hold domains such as `acme.com`\(hint)\(scalar.shown)")
            return nil
        }
    }

    /// - Returns: as `domains`.
    func emails(_ section: Section, _ key: String, wholeDomains: Bool = false) -> [UserEmail]? {
        section.texts(key)?.compactMap { scalar in
            if let email = UserEmail(scalar.text) { return email }
            let hint = wholeDomains && !scalar.text.contains("@") ? "; a whole domain belongs under `domains`" : ""
            reading.error(scalar.position, "`\(key)` must hold addresses such as `partner@other.org`\(hint)\(scalar.shown)")
            return nil
        }
    }
}
