// Last in, first out, in memory of its own.

/// A stack that belongs to one thread. An array in a class's property costs a check for exclusive access, one for uniqueness and a pair of atomic
/// counts at every push and pop; here an element is moved in and moved out, and nothing else happens.
@safe @usableFromInline package final class Stack<Element> {
    // No method calls out while it touches these.
    @exclusivity(unchecked) @usableFromInline var elements: UnsafeMutablePointer<Element>
    @exclusivity(unchecked) @usableFromInline var capacity: Int
    @exclusivity(unchecked) @usableFromInline var storedCount = 0

    @inlinable
    package init(capacity: Int = 8) {
        precondition(capacity > 0, "a stack has room for one at least")
        unsafe self.capacity = capacity
        unsafe elements = .allocate(capacity: capacity)
    }

    @inlinable
    deinit {
        unsafe elements.deinitialize(count: storedCount)
        unsafe elements.deallocate()
    }

    @inlinable package var count: Int { unsafe storedCount }
    @inlinable package var isEmpty: Bool { unsafe storedCount == 0 }

    @inlinable
    package func push(_ element: consuming Element) {
        if unsafe storedCount == capacity { grow() }
        unsafe (elements + storedCount).initialize(to: element)
        unsafe storedCount += 1
    }

    @inlinable
    package func pop() -> Element? {
        guard count > 0 else { return nil }
        unsafe storedCount -= 1
        return unsafe (elements + storedCount).move()
    }

    /// The element at `place`, counted from the bottom.
    @inlinable
    package subscript(place: Int) -> Element {
        precondition(place >= 0 && place < count, "a place in the stack")
        return unsafe elements[place]
    }

    /// Takes one out of the middle; what is above it moves down.
    @inlinable
    package func remove(at place: Int) -> Element {
        precondition(place >= 0 && place < count, "a place in the stack")
        let element = unsafe (elements + place).move()
        unsafe (elements + place).moveInitialize(from: elements + place + 1, count: storedCount - place - 1)
        unsafe storedCount -= 1
        return element
    }

    @usableFromInline
    func grow() {
        let larger = unsafe UnsafeMutablePointer<Element>.allocate(capacity: capacity * 2)
        unsafe larger.moveInitialize(from: elements, count: storedCount)
        unsafe elements.deallocate()
        unsafe elements = larger
        unsafe capacity *= 2
    }
}
