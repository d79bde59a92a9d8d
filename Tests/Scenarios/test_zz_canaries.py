"""The last scenario: no secret of any other stands in anything that was written."""

import canaries
from gateway import ALICE, BOB


def written(runs):
    return [path for path in runs.rglob("*") if path.is_file() and not path.is_socket() and path.suffix != ".pem"]


def test_a_secret_is_found_in_each_of_its_forms(mcp):
    search = canaries.Search()
    for value in [value for value in canaries.made if value.startswith("cnry-")][:3]:
        for form in canaries.forms(value):
            assert search.found(b"cnry-" + form + b"=") == {value} and not search.found(form[:-1] + b"!")


def test_no_secret_was_written_anywhere(runs, mcp):
    """Logs, state, secrets and runtime files of every gateway, and the fixture servers' logs."""
    files, search = written(runs), canaries.Search()
    assert any(path.name == "log" for path in files) and len(canaries.made) > 10
    found = [(value[:20], path) for path in files for value in search.found(path.read_bytes())]
    assert not found


def test_no_address_is_in_a_log(runs, mcp):
    for path in written(runs):
        if path.name == "log":
            content = path.read_bytes().lower()
            assert ALICE.encode() not in content and BOB.encode() not in content, path
