"""The last scenario: no secret of any other stands in anything that was written."""

import canaries
from gateway import ALICE, BOB


def written(runs):
    return [path for path in runs.rglob("*") if path.is_file() and not path.is_socket() and path.suffix != ".pem"]


def test_no_secret_was_written_anywhere(runs, mcp):
    """Logs, state, secrets and runtime files of every gateway, and the fixture servers' logs."""
    files = {path: path.read_bytes() for path in written(runs)}
    assert any(path.name == "log" for path in files) and len(canaries.made) > 10
    found = [(value[:20], path) for value in canaries.made for form in canaries.forms(value) for path, content in files.items() if form in content]
    assert not found


def test_no_address_is_in_a_log(runs, mcp):
    for path in written(runs):
        if path.name == "log":
            content = path.read_bytes().lower()
            assert ALICE.encode() not in content and BOB.encode() not in content, path
