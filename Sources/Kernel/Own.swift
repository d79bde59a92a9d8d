// A variable that belongs to one thread.

/// A value in a place of its own, for what one thread alone reads and writes many times a request.
///
/// A variable of a class asks the runtime at every access whether another access to it is under way. For what is in here nobody asks; so nothing
/// that is called with `value` in hand may come back for it. It is held by `let`, and is not Sendable: it stays where it was made.
@safe @usableFromInline package final class Own<Value: ~Copyable> {
    @exclusivity(unchecked) @usableFromInline var stored: Value

    @inlinable
    package init(_ value: consuming Value) {
        unsafe stored = value
    }

    @inlinable
    package var value: Value {
        @inline(always) _read { yield unsafe stored }
        @inline(always) _modify { yield unsafe &stored }
    }
}
