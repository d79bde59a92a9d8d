// `secrets.parameter_store:` read.

internal import Gateway

struct ParameterStoreReader {
    let reading: Reading

    func settings(_ section: Section) -> ParameterStoreSettings {
        var settings = ParameterStoreSettings()
        settings.region = region(section)
        if let prefix = prefix(section) { settings.prefix = prefix }
        settings.kmsKey = key(section)
        if let tier = section.choice("tier", ParameterTier.self) { settings.tier = tier }
        if let rate = section.rate("reads")?.value { settings.reads = rate }
        if let rate = section.rate("writes")?.value { settings.writes = rate }
        settings.endpoint = endpoint(section)
        return settings
    }

    private func region(_ section: Section) -> String? {
        guard let scalar = section.line("region") else {
            let variables = ["AWS_REGION", "AWS_DEFAULT_REGION"]
            if !section.has("region"), !variables.contains(where: { reading.environment[$0]?.isEmpty == false }) {
                reading.warning(section.position, "`region` is not set, nor is AWS_REGION here: the daemon needs one of them, or a region in its AWS profile")
            }
            return nil
        }
        guard ParameterStoreSettings.isRegion(scalar.text) else { return section.wrong("region", scalar) }
        return scalar.text
    }

    /// At most eleven steps: AWS takes fifteen, four are ours.
    private func prefix(_ section: Section) -> String? {
        guard let scalar = section.scalar("prefix") else { return nil }
        let length = scalar.text.utf8.count
        guard length <= 512 else {
            reading.error(scalar.position, "`prefix` has \(length) characters: it may have 512, so that a parameter's name, 1,011 at most, has room behind it")
            return nil
        }
        let steps = scalar.text.split(separator: "/")
        guard let first = steps.first?.lowercased(), steps.count <= 11, Reference(path: scalar.text) != nil else { return section.wrong("prefix", scalar) }
        guard !first.utf8.starts(with: "aws".utf8), !first.utf8.starts(with: "ssm".utf8) else {
            return section.wrong("prefix", scalar, "must not begin with `/aws` or `/ssm`, in small letters or capitals: AWS keeps such names for itself")
        }
        return scalar.text
    }

    private func key(_ section: Section) -> String? {
        guard let scalar = section.line("kms_key") else { return nil }
        let bytes = scalar.text.utf8
        let isWord = bytes.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
            default: ":/_-".utf8.contains(byte)
            }
        }
        let isName = bytes.starts(with: "alias/".utf8) || bytes.starts(with: "arn:".utf8)
        let isID = !bytes.contains { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: ":") }
        guard isWord, bytes.count <= 256, isName || isID else { return section.wrong("kms_key", scalar) }
        return scalar.text
    }

    private func endpoint(_ section: Section) -> String? {
        guard let scalar = section.line("endpoint") else { return nil }
        do throws(Malformed) {
            let url = try WebURL(scalar.text)
            guard url.path.isEmpty || url.path == "/", url.query == nil else { return section.wrong("endpoint", scalar, "must be an origin, without path and query") }
            guard url.origin.scheme == .https || url.host.isLoopback else {
                return section.wrong("endpoint", scalar, "must begin with `https://`: values would travel in plain text; `http://` is for loopback only")
            }
            return "\(url.origin)"
        } catch {
            reading.error(scalar.position, "`endpoint` \(error.words)")
            return nil
        }
    }
}
