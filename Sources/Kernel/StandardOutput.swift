// What a command prints and then waits: it must be read before that.

internal import Glibc

package enum StandardOutput {
    /// Hands on what was printed, to a pipe too.
    package static func flush() {
        // Of all streams: naming one would touch a global of the C library.
        _ = fflush(nil)
    }
}
