// Entries as a journal receives them.

import Foundation
import Testing

@testable import Kernel

@Suite struct JournalSocketTests {
    /// A socket that receives datagrams at a path of its own.
    final class Journal: Sendable {
        let path: String
        let number: Int32

        init(at path: String? = nil) throws {
            let mark = SecureRandom.bytes(8).map { String($0, radix: 16) }.joined()
            self.path = path ?? "\(FileManager.default.temporaryDirectory.path)/claviger-journal-\(mark)"
            number = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
            let bound = unsafe SocketAddress.unix(self.path).withSockaddr { unsafe bind(number, $0, $1) }
            try #require(bound == 0)
        }

        deinit {
            close(number)
            unsafe unlink(path)
        }

        /// The datagrams that are there.
        func entries() -> [String] {
            var found: [String] = []
            var bytes = [UInt8](repeating: 0, count: 1 << 16)
            while true {
                let count = unsafe recv(number, &bytes, bytes.count, Int32(MSG_DONTWAIT))
                guard count >= 0 else { return found }
                found.append(String(decoding: bytes.prefix(count), as: UTF8.self))
            }
        }
    }

    func send(_ text: String, to socket: JournalSocket) -> Int { socket.send(text.utf8Span.span.raw, until: .never) }

    @Test func `each entry is a datagram of its own`() throws {
        let journal = try Journal()
        let socket = try JournalSocket(path: journal.path)
        #expect(send("MESSAGE=a\nX=\n\nMESSAGE=b\n\n", to: socket) == 0)
        #expect(journal.entries() == ["MESSAGE=a\nX=\n", "MESSAGE=b\n"])
        #expect(send("", to: socket) == 0 && journal.entries().isEmpty)
    }

    @Test func `more than leave with one call leave with several`() throws {
        let journal = try Journal()
        let socket = try JournalSocket(path: journal.path)
        var got: [String] = []
        // A datagram socket of Linux holds few at once.
        for start in stride(from: 0, to: 200, by: 5) {
            #expect(send((start..<start + 5).map { "N=\($0)\n\n" }.joined(), to: socket) == 0)
            got += journal.entries()
        }
        #expect(got == (0..<200).map { "N=\($0)\n" })
    }

    @Test func `an entry that is too large is lost, and the next is not`() throws {
        let journal = try Journal()
        let socket = try JournalSocket(path: journal.path)
        let large = String(repeating: "x", count: 32 << 20)
        #expect(send("MESSAGE=\(large)\n\nMESSAGE=b\n\n", to: socket) == 1)
        #expect(journal.entries() == ["MESSAGE=b\n"])
    }

    @Test func `a journal that is gone loses entries, which are counted, and one that was started anew gets them`() throws {
        var journal: Journal? = try Journal()
        let path = try #require(journal?.path)
        let socket = try JournalSocket(path: path)
        journal = nil
        #expect(send("A=1\n\nA=2\n\n", to: socket) == 2)
        #expect(throws: SystemFault.self) { try JournalSocket(path: path) }
        let anew = try Journal(at: path)
        #expect(send("A=3\n\n", to: socket) == 0 && anew.entries() == ["A=3\n"])
    }

    @Test func `a journal that has stopped is waited for once, not once for each batch`() throws {
        let journal = try Journal()
        let socket = try JournalSocket(path: journal.path, patience: .milliseconds(100))
        // Twenty batches and more.
        let flood = (0..<2000).map { "N=\($0)\n\n" }.joined()
        let began = MonotonicTime.now()
        let lost = send(flood, to: socket)
        #expect(MonotonicTime.now().duration(since: began) < .milliseconds(1000))
        let taken = journal.entries().count
        #expect(lost > 0 && lost + taken == 2000)
        // It takes something: what comes is waited for again.
        #expect(send("A=1\n\n", to: socket) == 0 && journal.entries() == ["A=1\n"])
    }

    @Test func `the time for everything ends the wait, too`() throws {
        let journal = try Journal()
        let socket = try JournalSocket(path: journal.path, patience: .seconds(3600))
        let flood = (0..<2000).map { "N=\($0)\n\n" }.joined()
        let lost = socket.send(flood.utf8Span.span.raw, until: .now().advanced(by: .milliseconds(50)))
        #expect(lost > 0 && lost + journal.entries().count == 2000)
    }
}
