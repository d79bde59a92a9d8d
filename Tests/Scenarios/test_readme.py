"""What the README, conf.d and `make run` show is true: each command and example is run or loaded."""

import json
import os
import re
import signal
import subprocess
import urllib.request

import pytest
from gateway import command
from processes import ROOT, Process, binary, eventually, free_run

README = (ROOT / "README.md").read_text()


def test_the_files_to_read_first_exist():
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    assert len([link for link in links if link.endswith(".swift")]) == 5
    for link in links:
        assert (ROOT / link).exists(), link


def test_every_command_of_the_readme_is_a_command():
    """The first two words of each `claviger` line, and the flags on it, are in that command's help."""
    lines = re.findall(r"claviger ((?:[a-z]+ )+)(.*)", "\n".join(line for line in README.splitlines() if line.startswith("    ")))
    assert len(lines) >= 6
    for words, rest in lines:
        shown = command(*words.split(), "--help")
        assert shown.returncode == 0, words
        for flag in re.findall(r"--[a-z]+", rest):
            assert flag in shown.stdout, (words, flag)


def test_every_make_target_of_the_readme_exists():
    targets = re.findall(r"^    make (\w+)", README, re.MULTILINE)
    makefile = (ROOT / "Makefile").read_text()
    assert targets and all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in targets)


def test_the_examples_of_conf_d_load_as_they_are():
    done = command("check", "--config", ROOT / "conf.d")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def running(tmp_path):
    """`make run`'s script, on ports of its own."""
    base = free_run(3)
    with Process([ROOT / ".make/run"], tmp_path / "run.log", dict(os.environ, PORT=str(base))) as process:
        process.ready(lambda: "Ctrl-C ends" in process.output(), 60)
        yield process


def test_make_run_shows_a_call_and_a_configuration_that_works(running):
    output = running.output()
    assert re.search(r"credential: sa… \(\d+ characters\)", output) and "x-api-key: did not arrive" in output
    server = json.loads(re.search(r"^\{.*?^\}", output, re.DOTALL | re.MULTILINE)[0])["mcpServers"]["sample"]
    message = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "a", "version": "1"}}}
    headers = server["headers"] | {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    with urllib.request.urlopen(urllib.request.Request(server["url"], json.dumps(message).encode(), headers)) as answer:
        assert json.load(answer)["result"]["serverInfo"]["name"] == "claviger-sample"
    children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(running.pid)], capture_output=True, text=True).stdout.split()
    assert len(children) >= 2
    assert running.end(signal.SIGINT) == 0
    eventually(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in children if pid))


def test_make_run_says_which_port_is_in_use(tmp_path):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run([ROOT / ".make/run"], env=dict(os.environ, PORT=str(port)), capture_output=True, text=True, timeout=30)
    assert done.returncode == 1 and f"port {port}" in done.stderr and "PORT=" in done.stderr
