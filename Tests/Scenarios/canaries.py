"""The secrets of the scenarios. Each is marked and remembered, so that the last scenario can search for it everywhere."""

import base64
import os
import re
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
    found = [raw, urllib.parse.quote(value, safe="").encode(), raw.hex().encode()]
    for offset in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            encoded = encode(b"\0" * offset + raw)
            found.append(encoded[4 if offset else 0 : -4])
    return found


class Search:
    """Looks for all that were made, in one pass: only where a form of `cnry-` stands can one begin. Other values (signatures of tokens that
    have a canary in them) are looked for as they are."""

    def __init__(self):
        self.others = [value for value in made if not value.startswith("cnry-")]
        self.values = {form: value for value in made if value.startswith("cnry-") for form in forms(value)}
        self.lengths = {len(form) for form in self.values}
        pairs = zip(forms("cnry-" + "0" * 38), forms("cnry-" + "z" * 38))
        beginnings = {os.path.commonprefix(pair) for pair in pairs}
        assert all(len(each) >= 4 for each in beginnings)
        # A look ahead, for two may overlap.
        self.place = re.compile(b"(?=" + b"|".join(map(re.escape, beginnings)) + b")")

    def found(self, content):
        """Those that stand in `content`."""
        candidates = (content[hit.start() : hit.start() + length] for hit in self.place.finditer(content) for length in self.lengths)
        found = {self.values[each] for each in candidates if each in self.values}
        return found | {value for value in self.others if value.encode() in content}
