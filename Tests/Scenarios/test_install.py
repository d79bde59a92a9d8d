"""`make install`: every file in its place under DESTDIR and PREFIX, a second time the same, and `make uninstall` takes them all away."""

import gzip
import os
import re
import shutil
import subprocess

import pytest
from processes import ROOT

UNITS = ["claviger.service", "claviger.socket"]


def make(target, destination, prefix=None):
    places = [f"DESTDIR={destination}"] + ([f"PREFIX={prefix}"] if prefix else [])
    done = subprocess.run(["make", "--no-print-directory", target, *places], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def files(directory):
    return {str(path.relative_to(directory)): path for path in directory.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    destination = tmp_path_factory.mktemp("installed")
    make("install", destination)
    return destination


def test_everything_is_in_its_place(installed):
    found = files(installed)
    expected = {
        "usr/local/bin/claviger", "usr/local/share/man/man1/claviger.1.gz", "usr/local/share/man/man5/claviger.conf.5.gz", "usr/local/share/man/man8/claviger.8.gz",
        "usr/local/share/bash-completion/completions/claviger", "usr/local/share/zsh/site-functions/_claviger",
        "usr/local/share/fish/vendor_completions.d/claviger.fish", *(f"usr/local/lib/systemd/system/{unit}" for unit in UNITS),
        "usr/local/lib/sysusers.d/claviger.conf", "usr/local/share/doc/claviger/LICENSE", "usr/local/share/doc/claviger/NOTICES",
        "usr/local/share/doc/claviger/Operating.md", "usr/local/share/doc/claviger/alerts.yaml",
        "usr/local/share/doc/claviger/examples/conf.d/30-acme.yaml", "etc/claviger/conf.d/10-gateway.yaml",
    }
    assert expected <= found.keys()
    assert all(name.startswith(("usr/local/", "etc/claviger/")) for name in found)
    for name, path in found.items():
        assert path.stat().st_mode & 0o777 == (0o755 if name.endswith("bin/claviger") else 0o644), name


def test_what_is_installed_runs_and_its_configuration_is_good(installed):
    binary = installed / "usr/local/bin/claviger"
    version = re.search(r'text = "(.*)"', (ROOT / "Sources/claviger/Version.swift").read_text())[1]
    assert "(NEEDED)" in (dynamic := subprocess.run(["readelf", "-d", binary], capture_output=True, text=True, check=True).stdout) and "PATH" not in dynamic
    assert subprocess.run([binary, "version"], capture_output=True, text=True).stdout == f"claviger {version}\n"
    done = subprocess.run([binary, "check", "--config", installed / "etc/claviger/conf.d"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    with gzip.open(installed / "usr/local/share/man/man8/claviger.8.gz", "rt") as page:
        assert re.match(r"\.Dd [A-Z][a-z]+ \d+, 20\d\d\n\.Dt CLAVIGER 8\n", page.read())


def test_the_units_start_what_was_installed(installed):
    text = "".join((installed / "usr/local/lib/systemd/system" / unit).read_text() for unit in UNITS)
    assert "ExecStart=/usr/local/bin/claviger serve" in text and "/usr/bin/claviger" not in text


def test_the_chapters_lead_to_one_another_where_they_are_installed(installed):
    directory = installed / "usr/local/share/doc/claviger"
    chapters = list(directory.glob("*.md"))
    assert len(chapters) > 10
    for chapter in chapters:
        for link in re.findall(r"\]\(([^)#:]+)\)", chapter.read_text()):
            assert (directory / link).is_file(), (chapter.name, link)


def test_a_second_time_changes_nothing_and_configuration_is_the_operators(installed):
    own = installed / "etc/claviger/conf.d/10-gateway.yaml"
    own.write_text("# mine\n" + own.read_text())
    before = {name: path.read_bytes() for name, path in files(installed).items()}
    make("install", installed)
    assert {name: path.read_bytes() for name, path in files(installed).items()} == before


def test_another_prefix_and_the_way_back(tmp_path):
    make("install", tmp_path, "/opt/claviger")
    assert (tmp_path / "opt/claviger/bin/claviger").exists() and not (tmp_path / "usr").exists()
    said = make("uninstall", tmp_path, "/opt/claviger")
    assert set(files(tmp_path)) == {"etc/claviger/conf.d/10-gateway.yaml"} and "/etc/claviger" in said
    assert not (tmp_path / "opt/claviger/share/doc/claviger").exists()
    make("uninstall", tmp_path, "/opt/claviger")


def test_who_installs_what_was_built_before_its_sources_is_told(tmp_path):
    """In a tree of its own, where something else stands for the program."""
    tree = tmp_path / "tree"
    for directory in (".make", ".build/release", "Sources/claviger/Documentation.docc/Resources"):
        (tree / directory).mkdir(parents=True)
    for name in ("LICENSE", "conf.d", "systemd", "Package.swift", "Package.resolved"):
        (tree / name).symlink_to(ROOT / name)
    for name in ("Version.swift", "Documentation.docc/Chapter.md", "Documentation.docc/Resources/rules.yaml"):
        (tree / "Sources/claviger" / name).write_text("")
    program = tree / ".build/release/claviger"
    shutil.copy("/bin/true", program)
    os.utime(program, (1, 1))

    def said():
        places = {"DESTDIR": str(tmp_path / "there"), "PREFIX": "/usr"}
        return subprocess.run([shutil.copy(ROOT / ".make/install", tree / ".make")], env=os.environ | places, capture_output=True, text=True, check=True).stderr

    assert "claviger is older than Sources/claviger/Version.swift" in said() and "make release" in said()
    # The build found nothing to do.
    (tree / ".build/release-made").touch()
    assert said() == ""


@pytest.mark.parametrize("places, said", [(["DESTDIR=here"], "DESTDIR is not an absolute path"), (["DESTDIR=/nowhere", "PREFIX=usr"], "PREFIX is not an absolute path")])
def test_places_that_are_none_are_refused(places, said):
    done = subprocess.run(["make", "--no-print-directory", "install", *places], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode != 0 and said in done.stderr
