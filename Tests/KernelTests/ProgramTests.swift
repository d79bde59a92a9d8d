// Program: what it writes is taken whole, within its limits, and it gets nothing of ours.

import Kernel
import Testing

@Suite struct ProgramTests {
    private func run(_ program: Program) throws -> String {
        let buffer = try program.run()
        return String(decoding: buffer.bytes.copied(), as: UTF8.self)
    }

    private func output(_ script: String, time: Duration = .seconds(20), limit: Int = 1 << 20, environment: [String: String] = [:]) throws -> String {
        try run(Program(arguments: ["/bin/sh", "-c", script], environment: environment, time: time, output: limit))
    }

    @Test func `what it writes is taken, to the last byte before its end`() throws {
        #expect(try output("echo one; echo two") == "one\ntwo\n")
        #expect(try output("head -c 300000 /dev/zero").utf8.count == 300_000)
        #expect(try output("exec 1>&-; true") == "")
    }

    @Test func `arguments are words, and the environment is what was given`() throws {
        let program = Program(arguments: ["printf", "%s|", "a b", "$HOME", "*"], environment: [:], time: .seconds(20), output: 100)
        #expect(try run(program) == "a b|$HOME|*|")
        #expect(try output("/usr/bin/env", environment: ["ONE": "1 = 1"]).split(separator: "\n").filter { !$0.hasPrefix("PWD=") && !$0.hasPrefix("_=") } == ["ONE=1 = 1"])
    }

    @Test func `it inherits no descriptor, has its own group, and reads nothing`() throws {
        // The directory's own descriptor is the listing's.
        #expect(try output("ls /proc/$$/fd").split(separator: "\n").allSatisfy { Int($0).map { $0 < 3 || $0 >= 10 } ?? false })
        #expect(try output("readlink /proc/$$/fd/0 /proc/$$/fd/2") == "/dev/null\n/dev/null\n")
        #expect(try output("cut -d' ' -f1,5 /proc/$$/stat").split(whereSeparator: \.isWhitespace).reduce(into: Set()) { $0.insert($1) }.count == 1)
        #expect(try output("cat") == "")
        // The C library has signals 32 and 33 for itself.
        let signals = try output("grep -E 'Sig(Blk|Ign)' /proc/self/status").split(whereSeparator: \.isWhitespace).compactMap { UInt64($0, radix: 16) }
        #expect(signals.map { $0 & 0x7fff_ffff } == [0, 0])
    }

    @Test func `a failure is its status or its signal, never what it wrote`() {
        #expect(throws: ProgramFault.failed(status: 3)) { try output("echo secret; echo secret >&2; exit 3") }
        #expect(throws: ProgramFault.ended(signal: 9)) { try output("kill -9 $$") }
        #expect(throws: ProgramFault.failed(status: 127)) { try output("/nowhere/at/all") }
    }

    @Test func `a program that is not there is not started`() {
        let program = Program(arguments: ["/nowhere/at/all"], environment: [:], time: .seconds(1), output: 10)
        let fault = #expect(throws: ProgramFault.self) { try run(program) }
        #expect(fault?.description == "it cannot be started: No such file or directory")
    }

    @Test func `past its time it is killed with its children, and past its size too`() {
        #expect(throws: ProgramFault.late) { try output("sleep 1000 & sleep 1000", time: .milliseconds(50)) }
        #expect(throws: ProgramFault.late) { try output("exec 1>&-; trap '' TERM; sleep 1000", time: .milliseconds(50)) }
        #expect(throws: ProgramFault.wroteTooMuch) { try output("yes", limit: 10_000) }
        #expect(throws: ProgramFault.wroteTooMuch) { try output("echo 123456", limit: 6) }
    }

    @Test func `a child that it leaves behind does not keep us waiting`() throws {
        let began = MonotonicTime.now()
        #expect(try output("sleep 5 & echo done") == "done\n")
        #expect(MonotonicTime.now().duration(since: began) < .seconds(4))
    }
}
