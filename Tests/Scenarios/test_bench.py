"""The benchmark harness's own tests: what it claims follows from its figures."""

import pathlib
import subprocess
import sys

BENCH = pathlib.Path(__file__).resolve().parents[2] / "bench"


def test_the_harness_says_only_what_its_figures_say():
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "harness"], cwd=BENCH, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_help_names_every_workload_and_what_is_not_there_yet():
    done = subprocess.run([sys.executable, BENCH / "run", "--help"], capture_output=True, text=True)
    assert done.returncode == 0
    for name in ("post-32", "events", "idle-connections", "users-10k", "tls", "reload"):
        assert name in done.stdout
