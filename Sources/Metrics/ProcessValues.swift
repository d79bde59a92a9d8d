// The process's own figures, under the names that Prometheus's client libraries have for them everywhere.

/// One figure of the process.
package enum ProcessValue: String, CaseIterable, Sendable {
    case processorSeconds = "process_cpu_seconds_total"
    case residentMemory = "process_resident_memory_bytes"
    case virtualMemory = "process_virtual_memory_bytes"
    case openDescriptors = "process_open_fds"
    case mostDescriptors = "process_max_fds"
    case startTime = "process_start_time_seconds"

    var family: Family {
        switch self {
        case .processorSeconds: Family(rawValue, .counter, "Processor time of all threads, in user and kernel, in seconds.")
        case .residentMemory: Family(rawValue, .gauge, "Memory that is resident.")
        case .virtualMemory: Family(rawValue, .gauge, "Address space that is mapped; much of it is only reserved.")
        case .openDescriptors: Family(rawValue, .gauge, "Descriptors that are open: sockets, files.")
        case .mostDescriptors: Family(rawValue, .gauge, "How many may be open (LimitNOFILE).")
        case .startTime: Family(rawValue, .gauge, "When the process started, in seconds since 1970.")
        }
    }
}

/// All of them, as they were at one moment. Whoever knows the system fills them in.
package struct ProcessValues: Sendable {
    private var values: [ProcessValue: Double] = [:]

    package init() {}

    package subscript(value: ProcessValue) -> Double {
        get { values[value] ?? 0 }
        set { values[value] = newValue }
    }
}

extension PrometheusText {
    mutating func write(_ process: ProcessValues) {
        for value in ProcessValue.allCases {
            head(value.family)
            let number = process[value]
            // Whole numbers of any size without an exponent; of a fraction, what a double has.
            if let whole = Int(exactly: number) { sample(value.rawValue, [], whole) } else { sample(value.rawValue, [], number) }
        }
    }
}
