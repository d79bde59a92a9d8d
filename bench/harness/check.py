"""Before anybody is timed: the same bytes come back, the right credential arrives, what identifies the agent does not."""

import hashlib
import http.client
import ssl

from .fault import Fault


def ask(port, target, work, user, key=None, encrypted=False):
    if encrypted:
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=10, context=ssl._create_unverified_context())
    else:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    headers = {"x-api-key": key or work.key, "x-user-email": work.email(user), "cookie": "session=agent", "content-type": "application/json"}
    connection.request("POST", target, '{"jsonrpc":"2.0","id":1,"method":"ping"}', headers)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, body


def check(running, target):
    """Raises a `Fault` where a contender does not do the work; gives the sentence for the report."""
    work, port, name = running.work, running.port, running.contender.label
    encrypted = work.certificate is not None
    for query in ("", "?bytes=1048576"):
        status, body = ask(port, target + query, work, 0, encrypted=encrypted)
        expected = ask(work.upstream, target + query, work, 0)[1]
        if status != 200 or hashlib.sha256(body).digest() != hashlib.sha256(expected).digest():
            raise Fault(f"{name} does not answer {target}{query} as the upstream does: status {status}, {len(body)} bytes instead of {len(expected)}")
    if not running.contender.injects:
        return f"{name}: same bytes; no injection to check, it does none"
    for user in (0, work.users - 1):
        status, body = ask(port, target + "?echo=1", work, user, encrypted=encrypted)
        fields = [line.split(": ", 1) for line in body.decode("latin-1").split("\r\n")[1:] if ": " in line]
        seen = [value for field, value in fields if field.lower() == "authorization"]
        if status != 200 or seen != [f"Bearer {work.credential(user)}"]:
            raise Fault(f"{name} did not inject the credential of {work.email(user)}: status {status}, {len(seen)} authorization fields")
        left = [field for field, _ in fields if field.lower() in ("x-api-key", "x-user-email", "cookie")]
        if left:
            raise Fault(f"{name} let {', '.join(left)} through to the upstream")
    status, _ = ask(port, target, work, 0, key="ck_bench1." + "w" * 43, encrypted=encrypted)
    if status not in (401, 403, 404):
        raise Fault(f"{name} answered {status} to a wrong key")
    return f"{name}: same bytes, the right credential, nothing of the agent's, a wrong key refused"
