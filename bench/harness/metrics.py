"""Every figure that can stand in a table: its name, unit, how many digits, and what it means."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Metric:
    title: str
    unit: str
    digits: int
    sentence: str

    def text(self, value):
        return f"{value:,.{self.digits}f}"

    def of(self, spread):
        """The median with its quartiles."""
        if spread is None:
            return "–"
        return f"{self.text(spread.median)} ({self.text(spread.low)}–{self.text(spread.high)})"


METRICS = {
    "cpu_us": Metric("CPU per request", "µs", 2, "time on a processor of all the proxy's threads, over requests answered"),
    "worker_us": Metric("its busiest thread", "µs", 2, "the part of it that one thread took, the worker that serves requests"),
    "cpu_event_us": Metric("CPU per event", "µs", 1, "time on a processor of all the proxy's threads, over events delivered"),
    "p50_us": Metric("p50", "µs", 0, "half of the answers came within"),
    "p99_us": Metric("p99", "µs", 0, "99 of 100 answers came within"),
    "rate": Metric("per second", "/s", 0, "requests answered a second; says little here, as load and proxy share a machine, and is in the results only"),
    "added_p50_us": Metric("added p50", "µs", 0, "delay of the median event less that of the median event without a proxy in the same round"),
    "added_p99_us": Metric("added p99", "µs", 0, "the same of the event later than 99 of 100"),
    "added_max_us": Metric("added max", "µs", 0, "delay of the latest event less that of the median event without a proxy"),
    "cpu_call_ms": Metric("CPU per call", "ms", 3, "time on a processor of all the gateway's threads, over calls answered"),
    "added_call_ms": Metric("added p50", "ms", 3, "the median call's time less that of the median call without a gateway in the same round"),
    "kib_each": Metric("memory each", "KiB", 2, "growth of resident memory over connections held; the kernel's socket buffers are not in it"),
    "mib_fresh": Metric("at rest", "MiB", 1, "resident memory with none held"),
    "start_ms": Metric("exec to answer", "ms", 1, "from exec to the first right answer, configuration and credential store read"),
    "first_ms": Metric("until all have it", "ms", 0, "from the first of the requests to the last answer"),
    "first_p50_ms": Metric("p50", "ms", 0, "half of the first requests were answered within"),
    "store_calls": Metric("store calls", "", 0, "requests that the store got"),
    "store_rate": Metric("store calls", "/s", 2, "requests a second that the store got, once every entry had been renewed at least once"),
    "recovered_ms": Metric("recovered after", "ms", 0, "from the moment the store works again to the first answer to a user whose credential was not cached"),
    "reload_ms": Metric("a reload", "ms", 1, "from the command's start to its end, the half of them: everything read, checked, and in force on every worker"),
    "kib_grown": Metric("memory grown by", "KiB", 0, "resident memory after the reloads less that before them"),
    "requests": Metric("requests", "", 0, "requests answered, refused ones included"),
    "failed": Metric("failed", "", 0, "requests of users whose credential was cached that were not answered by the server"),
    "lost_pc": Metric("lost of the peak", "%", 1, "answers in time that five times the clients get a second, as a share of the peak's: what is missing of it"),
    "peak_rate": Metric("peak", "/s", 0, "answers in time a second, with as many clients as there is room for"),
    "crowd_rate": Metric("of five times", "/s", 0, "the same with five times as many"),
    "late_pc": Metric("gave up", "%", 1, "tries of the five times as many that had no answer in time, or a refusal"),
    "syscalls": Metric("calls per request", "", 3, "system calls of all the proxy's threads, counted by strace, over requests answered"),
    "beyond": Metric("beyond I/O", "", 3, "those of them that neither read nor write a socket"),
    "allocations": Metric("allocations", "", 3, "malloc, calloc, realloc and memalign per request, counted by an interposer"),
}
