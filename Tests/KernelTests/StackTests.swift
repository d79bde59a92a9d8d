import Testing

@testable import Kernel

@Suite struct StackTests {
    @Test func `what was pushed last is popped first, beyond the first capacity too`() {
        let stack = Stack<Int>(capacity: 2)
        for n in 0..<10 { stack.push(n) }
        #expect(stack.count == 10)
        #expect((0..<10).map { _ in stack.pop() } == (0..<10).reversed().map { $0 })
        #expect(stack.pop() == nil)
        #expect(stack.isEmpty)
    }

    @Test func `one out of the middle leaves the others in order`() {
        let stack = Stack<String>()
        for text in ["a", "b", "c", "d"] { stack.push(text) }
        #expect(stack.remove(at: 1) == "b")
        #expect((0..<stack.count).map { stack[$0] } == ["a", "c", "d"])
        #expect(stack.remove(at: 2) == "d")
        #expect(stack.remove(at: 0) == "a")
        #expect(stack.pop() == "c")
    }

    private final class Counted {
        static nonisolated(unsafe) var living = 0
        init() { unsafe Counted.living += 1 }
        deinit { unsafe Counted.living -= 1 }
    }

    @Test func `each element is released once: popped, removed, or with the stack`() {
        do {
            let stack = Stack<Counted>(capacity: 1)
            for _ in 0..<5 { stack.push(Counted()) }
            _ = stack.pop()
            _ = stack.remove(at: 1)
            #expect(unsafe Counted.living == 3)
        }
        #expect(unsafe Counted.living == 0)
    }

    @Test func `a variable of one thread is read and changed in place`() {
        let own = Own([1, 2, 3])
        own.value.append(4)
        own.value[0] = 9
        #expect(own.value == [9, 2, 3, 4])
    }
}
