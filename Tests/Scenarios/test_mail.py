"""Codes on their way: every kind of mail server, and each way in which one says no."""

import pytest
from authority import Authority
from gateway import header, world
from people import Sink
from processes import eventually, refusing_port
from upstream import Upstream
from wire import ask

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"), "mail")


@pytest.fixture
def daemon(start, upstream, ours):
    def new(portal):
        config = world({"crm": header(upstream.url)}, portal=portal)
        config["projects"]["acme"]["connect"] = {"domains": ["acme.com"]}
        return start(config, environment={"SSL_CERT_FILE": str(ours.file)})

    return new


def ask_for_a_code(gateway, address="ann@acme.com"):
    """What a browser does; gives the page that it ends at."""
    page = ask(gateway.port, "GET", "/connect/acme")
    cookie = page["set-cookie"].split(";")[0]
    word = page.body.decode().split('name="csrf" value="')[1].split('"')[0]
    sent = ask(gateway.port, "POST", "/connect/acme/_sign-in", FORM | {"Cookie": cookie}, f"csrf={word}&email={address.replace('@', '%40')}".encode())
    assert sent.status == 303, sent.body
    return lambda: ask(gateway.port, "GET", "/connect/acme", {"Cookie": cookie}).body.decode()


def fails(gateway, *words):
    """Waits for the log to say why; the page then says that mail is slow."""
    page = ask_for_a_code(gateway)
    eventually(lambda: all(word in gateway.log() for word in ("mail: a sign-in code was not sent", *words)), 15)
    assert "Mail is slow at the moment" in page() and "ann@acme.com" not in gateway.log()


def test_plain_on_loopback(daemon):
    with Sink() as sink:
        ask_for_a_code(daemon(sink.settings()))
        sink.code("ann@acme.com")
        [(envelope, message, encrypted)] = sink.mails
        assert envelope.mail_from == "connect@acme.com" and not encrypted
        assert message["from"] == "Claviger <connect@acme.com>" and message["to"] == "ann@acme.com" and message["auto-submitted"] == "auto-generated"
        assert message["date"] and message["message-id"].endswith("@acme.com>") and "your code" in message["subject"]
        assert max(map(len, envelope.content.split(b"\r\n"))) <= 78


def test_encrypted_from_the_first_byte(daemon, ours):
    with Sink(tls=ours.server("127.0.0.1")) as sink:
        ask_for_a_code(daemon(sink.settings("smtps")))
        sink.code("ann@acme.com")
        assert sink.mails[0][2]


def test_starttls_and_a_password(daemon, ours, tmp_path):
    secret = tmp_path / "password"
    secret.write_text("cnry-mail pass<word>\n")
    with Sink(starttls=ours.server("mail.localhost"), login=("claviger", "cnry-mail pass<word>")) as sink:
        gateway = daemon(sink.settings(host="mail.localhost", user="claviger", password=f"${{file:{secret}}}"))
        ask_for_a_code(gateway)
        sink.code("ann@acme.com")
        assert sink.mails[0][2] and sink.logins == [("claviger", "cnry-mail pass<word>")]
        assert "cnry-mail" not in gateway.log()


def test_without_starttls_nothing_is_sent(daemon):
    with Sink() as sink:
        gateway = daemon(sink.settings(host="mail.localhost", user="claviger", password="cnry-mail"))
        fails(gateway, "mail.localhost")
        assert not sink.mails and not sink.logins and "cnry-mail" not in gateway.log()


def test_another_server_in_its_place_gets_nothing(daemon, ours):
    with Sink(starttls=ours.server("other.localhost"), login=("claviger", "cnry-mail")) as sink:
        fails(daemon(sink.settings(host="mail.localhost", user="claviger", password="cnry-mail")), "mail.localhost")
        assert not sink.mails and not sink.logins


def test_a_wrong_password(daemon, ours):
    with Sink(starttls=ours.server("mail.localhost"), login=("claviger", "right")) as sink:
        fails(daemon(sink.settings(host="mail.localhost", user="claviger", password="cnry-wrong")), "535")
        assert not sink.mails


def test_a_recipient_that_is_refused(daemon):
    with Sink() as sink:
        sink.refusal = "550 5.1.1 nobody of this name"
        gateway = daemon(sink.settings())
        fails(gateway, "550")
        sink.refusal = None
        page = ask_for_a_code(gateway)
        sink.code("ann@acme.com")
        eventually(lambda: "takes messages again" in gateway.log())
        assert "Mail is slow" not in page()


def test_nobody_listens(daemon):
    fails(daemon({"sign_in": {"email_code": {"smtp": f"smtp://127.0.0.1:{refusing_port()}", "from": "connect@acme.com"}}}), "127.0.0.1")


def test_the_answer_does_not_wait_for_the_mail(daemon):
    """A server that accepts and says nothing: who asks is answered at once all the same."""
    with_silence = Upstream(answer=lambda seen, peer: None)
    gateway = daemon({"sign_in": {"email_code": {"smtp": f"smtp://127.0.0.1:{with_silence.port}", "from": "connect@acme.com"}}})
    ask_for_a_code(gateway)
    assert "Check your mail" in ask_for_a_code(gateway, "bob@acme.com")()


def test_without_a_mail_server_the_code_is_in_the_log_loudly(daemon):
    gateway = daemon({})
    assert "No mail is sent from here" in ask_for_a_code(gateway)()
    line = eventually(lambda: next((line for line in gateway.log().splitlines() if "SIGN-IN CODE" in line), None))
    assert "warning" in line and "portal.sign_in.email_code" in line and "ann@acme.com" not in line


def test_without_a_mail_server_elsewhere_nobody_signs_in(daemon):
    gateway = daemon({"public_url": "https://connect.acme.com"})
    page = ask(gateway.port, "GET", "/connect/acme")
    assert b"Signing in is not set up here yet" in page.body and b"Send me a code" not in page.body
    assert page["strict-transport-security"] == "max-age=31536000"
    assert b'name="csrf"' not in page.body
