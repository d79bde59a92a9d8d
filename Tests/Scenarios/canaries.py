"""The secrets of the scenarios. Each is marked and remembered, so that the last scenario can search for it everywhere."""

import base64
import secrets
import urllib.parse

made = []


def canary(label):
    """A new secret of 43 characters of base64url, as an API key has; `label` (up to 20 characters) shows where it came from."""
    prefix = f"cnry-{label}-"
    value = prefix + secrets.token_hex(32)[: 43 - len(prefix)]
    made.append(value)
    return value


def forms(value):
    """The bytes under which a secret would be found: plain, percent-encoded, base64 at each alignment, hexadecimal."""
    raw = value.encode()
    found = {raw, urllib.parse.quote(value, safe="").encode(), raw.hex().encode()}
    for offset in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            encoded = encode(b"\0" * offset + raw)
            found.add(encoded[4 if offset else 0 : -4])
    return found
