"""A person's browser in plain Python: cookies, redirects one at a time, and forms filled in by the names of their fields."""

import urllib.parse
from html.parser import HTMLParser
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx2


class Form:
    """The form of a page that can be sent: where to, how, and with what in it."""

    def __init__(self, attributes):
        self.action, self.method = attributes.get("action") or "", (attributes.get("method") or "get").lower()
        self.fields, self.buttons = {}, {}


class FormReader(HTMLParser):
    def __init__(self):
        super().__init__()
        self.forms, self.inside = [], False

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "form":
            self.forms.append(Form(attributes))
            self.inside = True
        name = attributes.get("name")
        if not self.inside or not name or tag not in ("input", "button", "textarea"):
            return
        value, kind = attributes.get("value") or "", attributes.get("type", "submit" if tag == "button" else "text").lower()
        if kind == "submit":
            self.forms[-1].buttons[name] = self.forms[-1].buttons.get(name) or value
        elif kind not in ("checkbox", "radio") or "checked" in attributes:
            self.forms[-1].fields[name] = value

    def handle_endtag(self, tag):
        self.inside = self.inside and tag != "form"


class Browser:
    """One person's: `fill` is what they know, by the field's name; buttons among it are pressed."""

    def __init__(self, **fill):
        self.fill, self.visited = fill, []
        # As browsers have it, what is on this machine is secure enough for a secure cookie.
        jar = CookieJar(DefaultCookiePolicy(secure_protocols=("http", "https")))
        self.http = httpx2.Client(timeout=15, follow_redirects=False, cookies=jar)

    def step(self, answer):
        """What a browser does next of itself, or a person with the page: the following answer; None at the end."""
        if answer.is_redirect:
            return self.get(urllib.parse.urljoin(str(answer.url), answer.headers["location"]))
        if answer.status_code != 200 or "html" not in answer.headers.get("content-type", ""):
            return None
        reader = FormReader()
        reader.feed(answer.text)
        for form in reader.forms:
            known = {name: value for name, value in self.fill.items() if name in form.fields or name in form.buttons}
            if known:
                url = urllib.parse.urljoin(str(answer.url), form.action)
                return self.send(form.method, url, form.fields | known)
        return None

    def get(self, url):
        self.visited.append(url)
        return self.http.get(url)

    def send(self, method, url, fields):
        self.visited.append(url)
        headers = {"origin": "{0.scheme}://{0.netloc}".format(urllib.parse.urlsplit(url)), "referer": url}
        return self.http.post(url, data=fields, headers=headers) if method == "post" else self.http.get(url, params=fields)

    def follow(self, url, until=None):
        """From page to page; stops before one whose URL begins with `until`, and gives that URL; else the last answer."""
        answer = self.get(url)
        for _ in range(20):
            if until and answer.is_redirect:
                following = urllib.parse.urljoin(str(answer.url), answer.headers["location"])
                if following.startswith(until):
                    return following
            following = self.step(answer)
            if following is None:
                assert until is None, f"ended at {answer.url} with {answer.status_code}: {answer.text[:2000]}"
                return answer
            answer = following
        raise AssertionError(f"goes round in circles: {self.visited[-4:]}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.http.close()
