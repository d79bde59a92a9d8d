// The process's own figures, as the metrics want them.

internal import Kernel
internal import Metrics

extension ProcessValues {
    /// Of this moment.
    /// - Parameter start: seconds since 1970. The system's own time of it counts from the boot, which a hardened unit does not see.
    init(startedAt start: Int64) {
        self.init()
        let figures = ProcessFigures()
        self[.processorSeconds] = figures.processorSeconds
        self[.residentMemory] = Double(figures.residentMemory)
        self[.virtualMemory] = Double(figures.virtualMemory)
        self[.openDescriptors] = Double(figures.openDescriptors)
        self[.mostDescriptors] = Double(figures.mostDescriptors)
        self[.startTime] = Double(start)
    }
}
