// swift-tools-version: 6.2
// The package: one line a target, its layer in the order of the table. What a target may import is what stands
// in its own line here; Tests/LayersTests reads the sources and holds every `import` to it.

import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableExperimentalFeature("Lifetimes"),
]

let packages: [String: (package: String, product: Package.Dependency)] = [
    "Yams": ("Yams", .package(url: "https://github.com/jpsim/Yams", from: "6.2.2")),
    "GRDB": ("GRDB.swift", .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0")),
    "Hummingbird": ("hummingbird", .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1")),
    "Mustache": ("swift-mustache", .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1")),
    "ArgumentParser": ("swift-argument-parser", .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")),
    "Logging": ("swift-log", .package(url: "https://github.com/apple/swift-log", from: "1.16.2")),
    "JWTKit": ("jwt-kit", .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1")),
    "Benchmark": ("benchmark", .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: [])),
]

var used: Set<String> = []

@MainActor func dependencies(_ names: [String]) -> [Target.Dependency] {
    var result: [Target.Dependency] = []
    for name in names {
        guard let library = packages[name] else { result.append(.target(name: name)); continue }
        used.insert(name)
        // Hummingbird brings swift-metrics, whose module has the name of one of ours.
        let aliases = name == "Hummingbird" ? ["Metrics": "SwiftMetrics"] : nil
        result.append(.product(name: name, package: library.package, moduleAliases: aliases))
    }
    return result
}

@MainActor func library(_ name: String, _ names: String...) -> [Target] {
    return [.target(name: name, dependencies: dependencies(names), swiftSettings: settings)]
}

@MainActor func executable(_ name: String, _ names: String...) -> [Target] {
    return [.executableTarget(name: name, dependencies: dependencies(names), swiftSettings: settings)]
}

@MainActor func system(_ name: String, _ pkgConfig: String, _ apt: String) -> [Target] {
    return [.systemLibrary(name: name, pkgConfig: pkgConfig, providers: [.apt([apt])])]
}

@MainActor func headers(_ name: String) -> [Target] {
    [.target(name: name)]
}

@MainActor func tests(_ name: String, _ names: String..., excluding files: [String] = []) -> [Target] {
    return [.testTarget(name: name, dependencies: dependencies(names), exclude: files, swiftSettings: settings)]
}

let targets: [[Target]] = [
    // 0: C headers, no logic
    headers("CLinux"),
    system("COpenSSL", "openssl", "libssl-dev"),
    system("CCurl", "libcurl", "libcurl4-openssl-dev"),
    system("CSystemd", "libsystemd", "libsystemd-dev"),
    // 1: one Swift wrapper per C library
    library("Kernel", "CLinux"),
    library("TLS", "COpenSSL", "Kernel"),
    library("Curl", "CCurl", "Kernel"),
    library("Systemd", "CSystemd", "Kernel"),
    // 2
    library("EventLoop", "Kernel"),
    library("HTTP1", "Kernel"),
    library("Metrics"),
    // 3
    library("Gateway", "HTTP1", "Kernel", "TLS", "CLinux"),
    // 4
    // (a package that Hummingbird needs has the name `Configuration`)
    library("Outbound", "Curl", "EventLoop", "Gateway", "Kernel"),
    library("ConfigurationFiles", "Gateway", "Kernel", "TLS", "Yams"),
    // 5
    library("Credentials", "Outbound", "Gateway", "EventLoop", "Kernel", "TLS", "Metrics"),
    library("OAuth", "Outbound", "Gateway", "EventLoop", "Kernel", "TLS", "JWTKit"),
    library("State", "Gateway", "Kernel", "TLS", "GRDB"),
    library("Telemetry", "Outbound", "Gateway", "HTTP1", "EventLoop", "Metrics", "TLS", "Kernel", "Logging"),
    // 6
    library("Proxy", "EventLoop", "HTTP1", "Gateway", "Credentials", "Telemetry", "Metrics", "TLS", "Kernel"),
    library("Portal", "Gateway", "Credentials", "OAuth", "Outbound", "Telemetry", "Kernel", "TLS", "Hummingbird", "Mustache", "Logging"),
    executable("sample-server", "Hummingbird", "ArgumentParser", "Logging"),
    // 7
    executable(
        "claviger", "Proxy", "Portal", "Credentials", "OAuth", "State", "Telemetry", "Metrics", "ConfigurationFiles", "Gateway",
        "Outbound", "EventLoop", "TLS", "Kernel", "Curl", "Systemd", "ArgumentParser", "Logging"),
    // tests
    tests("KernelTests", "Kernel"),
    tests("TLSTests", "TLS", "Kernel", "COpenSSL", "CLinux"),
    tests("SystemdTests", "Systemd", "Kernel"),
    tests("EventLoopTests", "EventLoop", "Kernel"),
    tests("HTTP1Tests", "HTTP1", "Kernel"),
    tests("MetricsTests", "Metrics"),
    tests("GatewayTests", "Gateway", "HTTP1", "Kernel", "TLS"),
    tests("ConfigurationFilesTests", "ConfigurationFiles", "Gateway", "TLS", excluding: ["Fixtures"]),
    tests("OutboundTests", "Outbound", "EventLoop", "Gateway", "Kernel"),
    tests("CredentialsTests", "Credentials", "Outbound", "Gateway", "EventLoop", "Kernel", "TLS", "Metrics"),
    tests("OAuthTests", "OAuth", "Outbound", "Gateway", "EventLoop", "Kernel", "TLS", "JWTKit"),
    tests("StateTests", "State", "GRDB", "Credentials", "EventLoop", "Gateway", "Kernel", "Metrics", "TLS"),
    tests("TelemetryTests", "Telemetry", "Outbound", "EventLoop", "Gateway", "HTTP1", "Metrics", "TLS", "Kernel", "Logging"),
    tests("ProxyTests", "Proxy", "HTTP1", "Gateway", "EventLoop", "Kernel", "TLS", "Metrics"),
    tests(
        "PortalTests", "Portal", "State", "Credentials", "OAuth", "Gateway", "Telemetry", "Metrics", "TLS", "Kernel", "Hummingbird", "Logging"),
    tests(
        "ClavigerTests", "claviger", "OAuth", "Portal", "ConfigurationFiles", "Telemetry", "Curl", "Gateway", "Metrics", "EventLoop", "Kernel", "ArgumentParser"),
    tests("LayersTests"),
]

// bench/micro, for `make bench-check`: not there, and nothing fetched for it, unless CLAVIGER_BENCH is set.
@MainActor func micro(_ name: String, _ names: String..., make: (String, [Target.Dependency], String) -> Target) -> Target {
    return make(name, dependencies(names), "bench/micro/\(name)")
}

let benchmarks: [Target] = Context.environment["CLAVIGER_BENCH"] == nil ? [] : [
    micro("CAllocations") { .target(name: $0, dependencies: $1, path: $2) },
    micro("MicroCases", "HTTP1", "Gateway", "Credentials", "Telemetry", "EventLoop", "Metrics", "TLS", "Kernel") {
        .target(name: $0, dependencies: $1, path: $2, swiftSettings: settings)
    },
    micro("micro", "MicroCases", "CAllocations", "Benchmark") {
        .executableTarget(name: $0, dependencies: $1, path: $2, swiftSettings: settings)
    },
]

let package = Package(
    name: "claviger",
    dependencies: used.sorted().compactMap { packages[$0]?.product },
    targets: targets.flatMap { $0 } + benchmarks,
    cLanguageStandard: .gnu17
)
