"""One line that says what is being done and how long it will still take."""

import sys
import time


def duration(seconds):
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


class Progress:
    def __init__(self, total, out=sys.stderr, clock=time.monotonic):
        self.total, self.out, self.clock = total, out, clock
        self.began, self.done, self.shown, self.words = clock(), 0.0, -100.0, ""
        self.live = out.isatty()

    def left(self):
        """Seconds: what was planned, corrected by how the plan has fared so far."""
        rest = max(0.0, self.total - self.done)
        if self.done < 5:
            return rest
        return rest * (self.clock() - self.began) / self.done

    def spent(self, planned):
        self.done += planned

    def say(self, words):
        now = self.clock()
        new = words.split(":")[0] != self.words.split(":")[0]
        self.words = words
        if self.live:
            self.out.write(f"\r\x1b[K{duration(self.left())} left · {words}")
        elif new or now - self.shown > 15:
            self.out.write(f"{duration(self.left())} left · {words}\n")
        else:
            return
        self.shown = now
        self.out.flush()

    def clear(self):
        if self.live:
            self.out.write("\r\x1b[K")
            self.out.flush()
