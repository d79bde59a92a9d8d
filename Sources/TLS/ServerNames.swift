// Which of several certificates is shown for the name that a client asks for (SNI, RFC 6066, section 3).

/// An index of certificates by their names. A name that stands in several belongs to the first of a kind of key.
struct ServerNames: Sendable {
    private var exact: [[UInt8]: [Int]] = [:]
    /// By what follows the `*.`; it stands for one whole label (RFC 9525, section 6.3).
    private var wildcards: [[UInt8]: [Int]] = [:]
    private let count: Int

    /// - Parameter certificates: the names of each, lower-case.
    init(_ certificates: [[String]]) {
        count = certificates.count
        for (place, names) in certificates.enumerated() {
            for name in names {
                let bytes = Array(name.utf8)
                if bytes.starts(with: [UInt8(ascii: "*"), UInt8(ascii: ".")]) {
                    wildcards[Array(bytes.dropFirst(2)), default: []].append(place)
                } else {
                    exact[bytes, default: []].append(place)
                }
            }
        }
    }

    /// The places of the certificates for a client that asked for `name`, the best first: who bears the name, whose wildcard covers it, then all in
    /// their order. A place may stand more than once.
    ///
    /// - Parameter name: as it was sent, in any case; nil = none was.
    func candidates(for name: [UInt8]?) -> [Int] {
        let rest = Array(0..<count)
        guard let name = name?.map(Self.folded) else { return rest }
        let parent = name.firstIndex(of: UInt8(ascii: ".")).map { Array(name[($0 + 1)...]) }
        return (exact[name] ?? []) + (parent.flatMap { wildcards[$0] } ?? []) + rest
    }

    /// Lower-case in ASCII; other bytes as they are.
    static func folded(_ byte: UInt8) -> UInt8 {
        byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
    }
}
