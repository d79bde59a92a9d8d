// MasterKey: every way to write it, the file made on the first start, and everything refused with its remedy.

@testable import Credentials
import Foundation
import Gateway
import Kernel
import Testing

@Suite struct MasterKeyTests {
    private let bytes: [UInt8] = (0..<32).map { UInt8($0 * 7 + 3) }

    private func load(_ scratch: Scratch, isNeeded: Bool = false) throws -> (bytes: [UInt8], mark: [UInt8]) {
        let key = try MasterKey.load(fromState: scratch.path, isNeeded: isNeeded)
        let bytes = key.bytes
        return (bytes.bytes.copied(), key.mark)
    }

    private func isKeyFault(_ error: any Error) -> Bool {
        (error as? StoreFault)?.kind == .key
    }

    private func key(_ text: [UInt8]) throws -> [UInt8] {
        let bytes = try MasterKey(Secret(copying: text.span.raw), from: "test").bytes
        return bytes.bytes.copied()
    }

    @Test func `hexadecimal, base64 and plain bytes are one key`() throws {
        let hexadecimal = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        let base64 = Data(bytes).base64EncodedString()
        for text in [hexadecimal, hexadecimal.uppercased(), hexadecimal + "\n", base64, base64 + "\r\n", String(base64.dropLast())] {
            #expect(try key(Array(text.utf8)) == bytes)
        }
        #expect(try key(bytes) == bytes)
        #expect(try key([UInt8](repeating: 0x0A, count: 32)) == [UInt8](repeating: 0x0A, count: 32))
    }

    @Test(arguments: [
        "", "00", String(repeating: "0", count: 63), String(repeating: "0", count: 65), String(repeating: "g", count: 64),
        String(repeating: "A", count: 44), String(repeating: "A", count: 42) + "B", String(repeating: "!", count: 43),
        String(repeating: "A", count: 45),
    ]) func `a key of another length or alphabet is refused`(text: String) {
        #expect { try key(Array(text.utf8)) } throws: { isKeyFault($0) }
    }

    @Test func `the first start makes a key file of 64 digits that only the daemon reads, and later ones read it`() throws {
        let scratch = try Scratch()
        let first = try load(scratch)
        #expect(try scratch.names() == ["master.key"])
        #expect(try scratch.mode(of: "master.key") == 0o600)
        #expect(try scratch.bytes("master.key").count == 65)
        let second = try load(scratch, isNeeded: true)
        #expect(second.bytes == first.bytes)
        #expect(second.mark == first.mark)
    }

    @Test(arguments: [0o640, 0o604, 0o660, 0o644, 0o610]) func `a key file that others may use is refused, with the remedy`(mode: Int) throws {
        let scratch = try Scratch()
        _ = try load(scratch)
        try scratch.setMode(mode, of: "master.key")
        #expect { try load(scratch) } throws: { error in
            guard let fault = error as? StoreFault else { return false }
            return fault.kind == .key && fault.description.contains("chmod 600 \(scratch.path)/master.key")
        }
    }

    @Test func `a missing key is not made anew where something is sealed`() throws {
        let scratch = try Scratch()
        #expect { try load(scratch, isNeeded: true) } throws: { isKeyFault($0) }
        #expect(try scratch.names() == [])
    }

    @Test func `a key file cut short is refused, not replaced`() throws {
        let scratch = try Scratch()
        try scratch.write(Array("0123".utf8), to: "master.key")
        #expect { try load(scratch) } throws: { isKeyFault($0) }
        #expect(try scratch.bytes("master.key").count == 4)
    }

    @Test func `keys differ, and so do their marks`() throws {
        let one = try load(Scratch())
        let other = try load(Scratch())
        #expect(one.mark != other.mark)
        #expect(one.bytes != other.bytes)
    }
}
