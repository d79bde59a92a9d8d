// The house as architecture.md draws it: each target's layer, and which modules from elsewhere may be imported where.

import Foundation

enum Layers {
    /// A target imports only what stands lower.
    static let layer: [String: Int] = [
        "CLinux": 0, "COpenSSL": 0, "CCurl": 0, "CSystemd": 0,
        "Kernel": 1, "TLS": 1, "Curl": 1, "Systemd": 1,
        "EventLoop": 2, "HTTP1": 2, "Metrics": 2,
        "Gateway": 3,
        "ConfigurationFiles": 4, "Outbound": 4,
        "Credentials": 5, "OAuth": 5, "State": 5, "Telemetry": 5,
        "Proxy": 6, "Portal": 6, "sample-server": 6,
        "claviger": 7,
    ]

    /// `Kernel` is what the other wrappers of its layer stand on.
    static let sameLayer: Set<String> = ["Kernel"]

    /// Modules that are not the package's, and the targets that may name them. Absent = nobody.
    static let borrowed: [String: Set<String>] = [
        "Synchronization": Set(layer.keys),
        "Glibc": ["Kernel", "TLS", "Curl", "Systemd", "EventLoop"],
        "Dispatch": ["Telemetry"],
        "FoundationEssentials": ["ConfigurationFiles", "Credentials", "State", "Telemetry", "Portal", "OAuth", "Outbound", "sample-server", "claviger"],
        "JWTKit": ["OAuth"],
        "Yams": ["ConfigurationFiles"],
        "GRDB": ["State"],
        "Hummingbird": ["Portal", "sample-server"],
        "HTTPTypes": ["Portal", "sample-server"],
        "NIOCore": ["Portal", "sample-server"],
        "Mustache": ["Portal"],
        "Logging": ["Telemetry", "Portal", "sample-server", "claviger"],
        "ServiceLifecycle": ["Portal", "claviger"],
        "ArgumentParser": ["sample-server", "claviger"],
    ]

    /// Where `unsafe` and `@unchecked Sendable` may stand: the C boundary and the executor.
    static let boundary: Set<String> = ["Kernel", "TLS", "Curl", "Systemd", "EventLoop"]

    /// Single files beyond the boundary that may say `unsafe`, and how often at most.
    static let unsafeFiles = ["HTTP1/ByteBuffer.swift": Int.max, "Gateway/Secret.swift": Int.max, "Proxy/Worker.swift": 1, "Proxy/Worker+Wait.swift": 1]

    /// What Package.swift declares for each target of ours: `library("HTTP1", "Kernel")` is HTTP1 → [Kernel].
    static let declared: [String: Set<String>] = {
        let manifest = (try? String(contentsOf: SourceFile.root.appending(path: "Package.swift"), encoding: .utf8)) ?? ""
        let code = manifest.split(separator: "\n").filter { !$0.drop(while: \.isWhitespace).hasPrefix("//") }.joined(separator: " ")
        var result: [String: Set<String>] = [:]
        for call in code.matches(of: /(library|executable|headers|system)\(\s*("[^)]*")\s*,?\s*\)/) {
            let names = call.output.2.split(separator: ",").map { $0.filter { $0 != "\"" && !$0.isWhitespace } }
            guard let target = names.first else { continue }
            result[target] = call.output.1 == "system" ? [] : Set(names.dropFirst())
        }
        return result
    }()
}
