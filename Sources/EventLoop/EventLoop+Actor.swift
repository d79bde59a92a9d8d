// How an actor names a loop as the place where it runs.

extension EventLoop {
    /// For an actor's `unownedExecutor`. The actor must hold the loop, since this does not: then it is sound, and says so.
    @safe package var serial: UnownedSerialExecutor {
        unsafe asUnownedSerialExecutor()
    }
}
