"""Order, progress and the command line."""

import io

import pytest

from . import contenders, options, processes, rounds, workloads
from .fault import Fault
from .progress import Progress, duration


def test_the_order_is_turned_round_every_other_round():
    assert rounds.order("abc", 0) == ["a", "b", "c"]
    assert rounds.order("abc", 1) == ["c", "b", "a"]


def test_time_left_is_corrected_by_how_the_plan_fares():
    time = [0.0]
    progress = Progress(100, out=io.StringIO(), clock=lambda: time[0])
    assert progress.left() == 100
    time[0] = 20.0
    progress.spent(10)
    assert progress.left() == 180
    assert duration(125) == "2:05"


def test_what_threads_spent_is_told_from_what_they_had_spent_before():
    assert processes.spent({"1": (100, 10)}, {"1": (150, 15), "2": (30, 1)}) == (80, 50, 6)
    assert processes.spent({"1": (100, 10), "gone": (9, 9)}, {"1": (100, 10)}) == (0, 0, 0)


def test_an_unknown_workload_is_refused_with_those_there_are(capsys):
    with pytest.raises(SystemExit):
        options.parse(["--only", "post-33"])
    assert "post-256" in capsys.readouterr().err


def test_a_quick_run_leaves_out_what_takes_long():
    quick, full = options.parse(["--quick"]), options.parse([])
    assert "users-10k" in full.only and "users-10k" not in quick.only
    assert "post-32-records" not in quick.only
    assert "post-32-records" in options.parse(["--quick", "--access-records"]).only
    assert quick.rounds < full.rounds


def test_another_build_is_measured_beside_this_one():
    assert options.parse(["--against", "/tmp/claviger"]).contenders[:2] == ["claviger", "before"]
    assert "before" not in options.parse([]).contenders
    with pytest.raises(Fault, match="--against"):
        options.parse(["--contenders", "claviger,before"])


def test_a_run_fits_its_time():
    for arguments, most in ((["--quick"], 170), ([], 1450)):
        parsed = options.parse(arguments)
        everybody = [contenders.ALL[name](parsed) for name in parsed.contenders]
        assert sum(workloads.ALL[name].cost(parsed, everybody) for name in parsed.only) < most
