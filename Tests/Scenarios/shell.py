"""Commands as a page shows them: run by a shell, as they stand there, with a daemon of the scenario where the usual one would be."""

import os
import subprocess

from processes import binary


def written_commands(markdown, *programs):
    """The lines of a page's code blocks that run one of `programs`, comments taken off. A line that ends in a backslash goes on in the next."""
    blocks, fenced = [], False
    for line in markdown.splitlines():
        if line.startswith("```"):
            fenced = not fenced
        elif fenced or line.startswith("    "):
            blocks.append(line.strip())
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    lines = [line.split("   #")[0].split("  #")[0].strip() for line in lines]
    return [line for line in lines if any(part.split()[:1] == [program] for program in programs for part in line.split("|"))]


def run(line, gateway, directory, **places):
    """Runs one line with `claviger` on the path and the daemon's directories in the environment, as systemd names them.

    `places`: what stands in the line, and the path that takes its place.
    """
    (directory / "bin").mkdir(exist_ok=True)
    link = directory / "bin/claviger"
    if not link.exists():
        link.symlink_to(binary("claviger").resolve())
    for shown, real in places.items():
        line = line.replace(shown, str(real))
    environment = gateway.environment | {
        "PATH": f"{link.parent}:{os.environ['PATH']}", "CONFIGURATION_DIRECTORY": str(gateway.config),
        "STATE_DIRECTORY": str(gateway.directory / "state"), "RUNTIME_DIRECTORY": str(gateway.directory / "runtime")}
    return subprocess.run(["sh", "-c", line], env=environment, cwd=directory, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
