"""The manual's pages: nothing to complain of for those who render them, and examples that do what they say."""

import re
import subprocess

import pytest
from gateway import command, header, world
from processes import ROOT
from shell import run

PAGES = ["claviger.1", "claviger.conf.5", "claviger.8"]


def page(name):
    done = command("manual", name, "--date", "November 21, 2026")
    assert done.returncode == 0, done.stderr
    return done.stdout


def examples(text):
    """The blocks of the section EXAMPLES, as a reader sees them."""
    section = text.split("\n.Sh EXAMPLES\n")[1].split("\n.Sh ")[0]
    blocks = re.findall(r"^\.Bd .*?\n(.*?)^\.Ed", section, re.DOTALL | re.MULTILINE)
    marks = {r"\&": "", r"\-": "-", r"\(aq": "'", r"\(ga": "`", r"\(ha": "^", r"\(ti": "~", r"\e": "\\"}
    return [re.sub("|".join(map(re.escape, marks)), lambda mark: marks[mark[0]], block) for block in blocks]


@pytest.fixture(params=PAGES)
def file(request, tmp_path):
    (tmp_path / request.param).write_text(page(request.param))
    return tmp_path / request.param


def test_mandoc_has_nothing_to_say(file):
    done = subprocess.run(["mandoc", "-Tlint", "-Wstyle", file], capture_output=True, text=True)
    # Whether the machine's index of pages is new is not the page's doing.
    said = [line for line in (done.stdout + done.stderr).splitlines() if "mandoc.db" not in line and "referenced manual not found" not in line]
    assert not said


@pytest.mark.parametrize("width", ["60", "80", "140"])
def test_man_renders_without_a_warning(file, width):
    done = subprocess.run(
        ["man", "--warnings", "--local-file", file], capture_output=True, text=True,
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "MANWIDTH": width, "MANROFFOPT": "-ww"})
    assert done.returncode == 0 and not done.stderr, done.stderr
    title = re.escape(file.stem.upper()) + rf"\({file.suffix[1:]}\)"
    assert re.match(rf"{title}.*{title}\n", done.stdout) and "EXIT STATUS" in done.stdout or file.stem == "claviger.conf"
    assert not re.search(r"\\f|\.Bl|\.It|\.Pp", done.stdout)


def test_each_example_of_the_commands_does_what_it_says(start, upstream, tmp_path):
    gateway = start(world({"crm": header(upstream.url)}, portal={"admins": ["ops@acme.com"]}))
    blocks = examples(page("claviger.1"))
    assert len(blocks) >= 9
    for line in "".join(blocks).splitlines():
        assert "claviger " in line
        done = run("TOKEN=example; " + line, gateway, tmp_path)
        assert done.returncode == 0 and done.stdout, (line, done.stdout, done.stderr)


def test_the_example_configuration_is_good(tmp_path):
    (tmp_path / "conf.d").mkdir()
    [block] = examples(page("claviger.conf.5"))
    (tmp_path / "conf.d/claviger.yaml").write_text(block)
    done = command("check", "--config", tmp_path / "conf.d")
    assert done.returncode == 0 and "1 project, 1 server, 1 key" in done.stdout and "warning" not in done.stdout, done.stdout


def completed(shell_script):
    done = subprocess.run(["bash", "--norc", "-c", shell_script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_bash_completes_commands_and_options(tmp_path):
    (tmp_path / "claviger").write_text(command("--generate-completion-script", "bash").stdout)

    def complete(*words):
        line = " ".join(words)
        return completed(
            f"source {tmp_path}/claviger; COMP_WORDS=({' '.join(word or chr(39) * 2 for word in words)}); COMP_CWORD={len(words) - 1}; "
            f"COMP_LINE='{line}'; COMP_POINT={len(line)}; COMP_TYPE=9; "
            "entry=$(complete -p claviger); [[ $entry =~ -F\\ ([^ ]+) ]]; "
            f"${{BASH_REMATCH[1]}} claviger '{words[-1]}' '{words[-2]}'; printf '%s\\n' \"${{COMPREPLY[@]}}\"")

    assert complete("claviger", "cre") == ["credential"]
    assert set(complete("claviger", "credential", "")) >= {"set", "connect", "list", "delete", "export", "import"}
    assert "--project" in complete("claviger", "credential", "set", "--p")
    assert set(complete("claviger", "link", "create", "--type", "")) == {"user", "project"}
    assert "manual" not in complete("claviger", "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completions_are_scripts_of_their_shell(shell, tmp_path):
    script = command("--generate-completion-script", shell).stdout
    (tmp_path / "script").write_text(script)
    assert "credential" in script and subprocess.run([shell, "-n", tmp_path / "script"], capture_output=True).returncode == 0


def test_fish_completes_commands(tmp_path):
    script = command("--generate-completion-script", "fish").stdout
    (tmp_path / "claviger.fish").write_text(script)
    done = subprocess.run(
        ["fish", "--no-config", "-c", f"source {tmp_path}/claviger.fish; complete -C 'claviger cre'"], capture_output=True, text=True,
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}, timeout=60)
    assert done.stdout.split()[:1] == ["credential"], done.stdout + done.stderr
