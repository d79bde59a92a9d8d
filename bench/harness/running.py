"""A contender under way: started in a directory of its own, supplied, ended."""

import os
import shutil

from . import ports, processes


class Running:
    """A contender that was started and answers."""

    def __init__(self, contender, work, home, environment=None):
        self.contender, self.work, self.home, self.environment = contender, work, home, environment
        self.name = contender.name
        home.mkdir(parents=True)
        self.port = ports.free()
        self.command = contender.write(work, home, self.port)
        self.child = None

    def spawn(self):
        with (self.home / "log").open("ab") as log:
            self.child = processes.start(self.command, processes.PROXY_CORE, stdout=log, stderr=log,
                                         env={**os.environ, **self.contender.variables, **(self.environment or {})})
        return self

    def begin(self):
        self.spawn()
        ports.await_listener(self.port, self.child, self.home / "log")
        self.contender.supply(self.work, self.home)
        return self

    def end(self):
        processes.end(self.child)

    def discard(self):
        self.end()
        shutil.rmtree(self.home, ignore_errors=True)
