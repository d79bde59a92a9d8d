"""The sentences and tables: what is claimed follows from the figures, the worse as plainly as the better."""

import pytest

from . import goals, readme, report, table, words
from .fault import Fault

LABELS = {"claviger": "Claviger", "nginx": "nginx", "haproxy": "HAProxy", "relay": "TCP relay"}


def measured(cpu, peers=0.5, proxy=0.99, waited=0.0):
    return {"cpu_us": cpu, "p50_us": cpu * 20, "p99_us": cpu * 40, "rate": 1e6 / cpu, "peers_busy": peers, "proxy_busy": proxy,
            "proxy_waited": waited, "stolen": 0.0}


def results(rounds, name="post-32"):
    return {
        "date": "2026-11-21T05:00:00Z", "command": "bench/run <&>", "commit": "abc", "options": {"rounds": 2, "seconds": 0.4},
        "machine": {"processor": "a processor", "cores": 2, "memory_gib": 4, "kernel": "6"}, "checks": {"nginx": "nginx: same bytes"},
        "contenders": {key: {"label": label, "version": "1", "less": ""} for key, label in LABELS.items()},
        "workloads": [{"name": name, "sentence": "a POST", "main": "cpu_us", "metrics": ["cpu_us", "p50_us", "p99_us", "rate"], "plots": ["p99_us"],
                       "rounds": rounds, "notes": []}]}


STEADY = [{"claviger": measured(8 * drift), "nginx": measured(10 * drift), "haproxy": measured((8.1 if drift > 1 else 7.9) * drift),
           "relay": measured(4 * drift, peers=0.97, proxy=0.6)} for drift in (1.0, 1.5, 1.0, 1.5)]


def test_less_more_and_no_difference_are_told_apart():
    (_, sentence), = words.found(results(STEADY))
    assert "less than nginx (0.80)" in sentence
    assert "no clear difference to HAProxy" in sentence
    assert "more than TCP relay (2.00)" in sentence


def test_ratios_hold_while_the_clock_drifts():
    of = words.compared(results(STEADY)["workloads"][0], "nginx")
    assert (of.low, of.median, of.high) == pytest.approx((0.8, 0.8, 0.8))


def test_a_load_that_was_the_limit_is_said():
    said = " ".join(words.noisy(results(STEADY)))
    assert "Load and upstream were the limit" in said and "(TCP relay, its core 60% busy, the other 97%)" in said


def test_a_core_that_was_shared_is_said():
    shared = [{key: {**figures, "proxy_waited": 0.3} for key, figures in each.items()} for each in STEADY]
    assert "it waited more than a tenth of the time: post-32 16 of 16." in " ".join(words.noisy(results(shared)))
    assert "100% of the measurements" in words.caution(results(shared))
    assert words.caution(results(STEADY)) == ""
    robbed = [{key: {**figures, "stolen": 0.5} for key, figures in each.items()} for each in STEADY]
    assert "the hypervisor took it away" in words.caution(results(robbed))


def test_quartiles_far_apart_are_said():
    assert "The quartiles lie far apart" in " ".join(words.noisy(results(STEADY)))


@pytest.mark.parametrize(("factor", "state"), [(0.8, "kept"), (0.9, "missed")])
def test_a_promise_is_kept_or_missed_by_its_quartiles(factor, state):
    rounds = [{"claviger": measured(10 * factor), "nginx": measured(10)} for _ in range(3)]
    judged = {(goal.metric, goal.against): found for goal, _, found in goals.judged(results(rounds))}
    assert judged[("cpu_us", "nginx")] == state
    assert ("cpu_us", "haproxy") not in judged


def test_a_promise_within_the_spread_is_not_decided():
    rounds = [{"claviger": measured(cpu), "nginx": measured(10)} for cpu in (8, 8.2, 8.9, 9.2)]
    assert [state for goal, _, state in goals.judged(results(rounds)) if goal.metric == "cpu_us"] == ["open"]


def test_no_figure_stands_without_its_spread():
    for row in table.rows(results(STEADY)["workloads"][0], results(STEADY)["contenders"])[1:]:
        assert all("(" in cell for cell in row[1:] if cell)


def test_the_report_is_one_file_that_runs_and_loads_nothing():
    page = report.page(results(STEADY))
    assert "bench/run &lt;&amp;&gt;" in page
    for word in ("<script", "http://", "https://", "url(", "@import", "<img"):
        assert word not in page
    assert page.count("<svg") == page.count("</svg>")


def test_a_workload_without_rounds_has_a_card_all_the_same():
    found = results([])
    found["workloads"][0] |= {"main": "", "metrics": [], "notes": ["215 files"]}
    assert "215 files" in report.page(found)
    assert "215 files" in table.text(found)


def test_the_readme_keeps_everything_around_its_table():
    text = f"before\n{readme.BEGIN}\nold\n{readme.END}\nafter\n"
    new = readme.placed(text, results(STEADY))
    assert new.startswith("before\n") and new.endswith("\nafter\n") and "old" not in new and "| `post-32`" in new
    assert readme.placed(new, results(STEADY)) == new


@pytest.mark.parametrize("text", ["", readme.BEGIN, f"{readme.END}{readme.BEGIN}", f"{readme.BEGIN}{readme.BEGIN}{readme.END}"])
def test_a_readme_without_a_place_is_refused(text):
    with pytest.raises(Fault, match="no place"):
        readme.placed(text, results(STEADY))
