// A worker's blocks of memory: lent to a connection while it has bytes, so that an idle one costs none.

internal import HTTP1
internal import Kernel

/// Last given back, first lent: under load the same few blocks go round and stay in the processor's cache.
final class BufferPool {
    /// Bytes of every block that is lent from now on.
    private(set) var blockSize: Int
    private let free = Stack<ByteBuffer>(capacity: most)
    /// Those whose memory is lent, until it comes back.
    private let hollow = Stack<ByteBuffer>(capacity: most)

    /// What is given back beyond this is freed.
    private static let most = 64

    init(blockSize: Int) {
        self.blockSize = blockSize
    }

    /// Lends no smaller blocks from now on; those that are lent go when they come back.
    func grow(to size: Int) {
        guard size > blockSize else { return }
        blockSize = size
        while free.pop() != nil {}
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
