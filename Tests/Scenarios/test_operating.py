"""The chapter Operating: its commands are run as they stand there, its links lead somewhere. Those for systemd: test_package."""

import re

from gateway import header, world
from processes import ROOT
from shell import run, written_commands

CHAPTER = ROOT / "Sources/claviger/Documentation.docc/Operating.md"


def test_each_command_of_the_chapter_does_what_it_is_shown_for(start, upstream, tmp_path):
    commands = written_commands(CHAPTER.read_text(), "claviger")
    assert len(commands) >= 5
    gateway = start(world({"crm": header(upstream.url)}))
    for line in commands:
        done = run(line, gateway, tmp_path, **{"/var/backups": tmp_path})
        assert done.returncode == 0, (line, done.stdout, done.stderr)


def test_each_link_of_the_chapter_leads_to_a_page():
    links = re.findall(r"\]\(([^)#:]+)\)", CHAPTER.read_text())
    assert len(links) >= 6
    for link in links:
        assert (CHAPTER.parent / link).exists(), link
