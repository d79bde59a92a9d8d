// What is asked of Parameter Store: its operations, and their requests' bodies.

internal import Gateway
internal import Kernel
internal import Metrics

/// An operation of Systems Manager. The others of its API are never called: what the IAM policies of the documentation allow is this list.
enum ParameterStoreOperation: String {
    case getParameters = "GetParameters"
    case getParametersByPath = "GetParametersByPath"
    case putParameter = "PutParameter"
    case deleteParameters = "DeleteParameters"

    /// `X-Amz-Target`.
    var target: String { "AmazonSSM.\(rawValue)" }

    /// The IAM action that allows it.
    var action: String { "ssm:\(rawValue)" }

    /// Whether one call is about several parameters, one of which may be at fault.
    var isBatch: Bool { self == .getParameters || self == .deleteParameters }

    var metric: StoreOperation {
        switch self {
        case .getParameters: .read
        case .getParametersByPath: .list
        case .putParameter: .write
        case .deleteParameters: .delete
        }
    }
}

/// Request bodies, in locked memory: one holds a value. References and settings have no character that JSON would escape.
enum ParameterStoreBody {
    /// - Parameter references: ten at most.
    static func get(_ references: [Reference]) -> Secret {
        body { out in
            out.append("{\"Names\":")
            append(references, to: &out)
            out.append(",\"WithDecryption\":true}")
        }
    }

    static func delete(_ references: [Reference]) -> Secret {
        body { out in
            out.append("{\"Names\":")
            append(references, to: &out)
            out.append("}")
        }
    }

    static func put(_ value: Secret, to reference: Reference, key: String?, tier: ParameterTier) -> Secret {
        body { out in
            out.append("{\"Name\":")
            append(reference.path, to: &out)
            out.append(",\"Value\":\"")
            CredentialJSON.escape(value.bytes, into: &out)
            out.append("\",\"Type\":\"SecureString\",\"Overwrite\":true,\"Tier\":")
            append(tier.name, to: &out)
            if let key {
                out.append(",\"KeyId\":")
                append(key, to: &out)
            }
            out.append("}")
        }
    }

    /// Names below `path`, a page of them. The values come encrypted, since nobody asked for their decryption.
    /// - Parameter token: the last page's `NextToken`, as it stood between its quotes.
    static func list(under path: String, after token: [UInt8]?) -> Secret {
        body { out in
            out.append("{\"Path\":")
            append(path, to: &out)
            out.append(",\"Recursive\":true,\"WithDecryption\":false,\"MaxResults\":10")
            if let token {
                out.append(",\"NextToken\":\"")
                out.append(token.span.raw)
                out.append("\"")
            }
            out.append("}")
        }
    }

    private static func body(_ write: (inout LockedBuffer) -> Void) -> Secret {
        var out = LockedBuffer(capacity: 1024)
        write(&out)
        return Secret(out)
    }

    private static func append(_ references: [Reference], to out: inout LockedBuffer) {
        for (place, reference) in references.enumerated() {
            out.append(place == 0 ? "[" : ",")
            append(reference.path, to: &out)
        }
        out.append("]")
    }

    private static func append(_ text: String, to out: inout LockedBuffer) {
        out.append("\"")
        CredentialJSON.escape(text.utf8Span.span.raw, into: &out)
        out.append("\"")
    }
}

extension ParameterTier {
    /// As the API names it.
    var name: String {
        switch self {
        case .standard: "Standard"
        case .advanced: "Advanced"
        case .intelligent: "Intelligent-Tiering"
        }
    }
}
