// The micro-benchmarks' executable: times them under ordo-one/benchmark, or counts what an iteration takes.

internal import Benchmark
internal import CAllocations
internal import MicroCases

/// `micro count N` writes one line a case: its name, a tab, how often N iterations allocated. Under callgrind it makes one profile a case, in
/// the same order. With any other arguments ordo-one's tool is at the other end.
@main enum Micro {
    static func main() async throws {
        let cases = Case.all(try await Fixtures())
        let arguments = CommandLine.arguments
        if arguments.count == 3, arguments[1] == "count", let iterations = Int(arguments[2]), iterations > 0 {
            for one in cases { print("\(one.name)\t\(try count(one, iterations))") }
        } else {
            await BenchmarkRunner.setupBenchmarkRunner { @Sendable in for one in cases { register(one) } }
        }
    }

    private static func count(_ one: Case, _ iterations: Int) throws -> Int {
        let run = try one.prepareChecked()
        let expected = try run(iterations)
        allocations_begin()
        let sum = try run(iterations)
        let count = Int(allocations_end())
        precondition(sum == expected, "a case gives the same every time")
        return count
    }

    /// Wall clock for 1000 iterations, which ordo-one scales down again; some 300 ms a case.
    private static func register(_ one: Case) {
        let configuration = Benchmark.Configuration(
            metrics: [.wallClock], warmupIterations: 10, scalingFactor: .kilo, maxDuration: .milliseconds(300), maxIterations: 100_000)
        var prepared: Case.Run?
        Benchmark(one.name, configuration: configuration) { (benchmark: Benchmark) throws in
            let run = try prepared ?? one.prepareChecked()
            prepared = run
            benchmark.startMeasurement()
            Benchmark.blackHole(try run(benchmark.scaledIterations.count))
            benchmark.stopMeasurement()
        }
    }
}
