// A worker's blocks of memory: lent to a connection while it has bytes, so that an idle one costs none.

internal import HTTP1
internal import Kernel

/// Last given back, first lent: under load the same few blocks go round and stay in the processor's cache.
final class BufferPool {
    /// Bytes of every block: room for a head and for the 64 KiB of a body that is kept.
    let blockSize: Int
    private let free = Stack<ByteBuffer>(capacity: most)
    /// Those whose memory is lent, until it comes back.
    private let hollow = Stack<ByteBuffer>(capacity: most)

    /// What is given back beyond this is freed.
    private static let most = 64

    init(blockSize: Int) {
        self.blockSize = blockSize
    }

    func take() -> ByteBuffer {
        free.pop() ?? ByteBuffer(capacity: blockSize)
    }

    func give(_ buffer: consuming ByteBuffer) {
        guard free.count < BufferPool.most, buffer.capacity == blockSize else { return }
        buffer.clear()
        free.push(buffer)
    }

    /// Puts a block's memory into `buffer`, which has none worth the name.
    func lend(to buffer: ByteBuffer) {
        let block = take()
        block.exchange(with: buffer)
        hollow.push(block)
    }

    /// Takes back what was lent to `buffer`.
    func reclaim(_ buffer: ByteBuffer) {
        let block = hollow.pop() ?? ByteBuffer(capacity: 1)
        block.exchange(with: buffer)
        give(block)
    }
}
