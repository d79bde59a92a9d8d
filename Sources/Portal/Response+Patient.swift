// An answer that takes long: the head goes at once and a line feed each second, so that nobody on the way takes the silence for an end.

internal import FoundationEssentials
internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

extension Response {
    /// 200, and as JSON whatever `work` returns, with line feeds before it (RFC 8259 allows white space there).
    /// The work is cancelled where the client has left.
    static func patient<Answer: Encodable & Sendable>(
        every interval: Duration = .seconds(1), _ work: @escaping @Sendable () async -> Answer
    ) -> Response {
        Response(
            status: .ok, headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: ResponseBody { writer in
                try await withThrowingTaskGroup(of: [UInt8]?.self) { group in
                    group.addTask { json(await work()) }
                    group.addTask { try await silence(interval) }
                    while let done = try await group.next() {
                        try await writer.write(ByteBuffer(bytes: done ?? [UInt8(ascii: "\n")]))
                        guard done == nil else { return group.cancelAll() }
                        group.addTask { try await silence(interval) }
                    }
                }
                try await writer.finish(nil)
            })
    }

    private static func silence(_ interval: Duration) async throws -> [UInt8]? {
        try await Task.sleep(for: interval)
        return nil
    }

    static func json(_ value: some Encodable) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Our own shapes are text and numbers, which always encode.
        return (try? encoder.encode(value)).map(Array.init) ?? []
    }
}
