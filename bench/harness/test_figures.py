"""The arithmetic: quartiles, and ratios that never mix rounds."""

from .figures import Spread, column, quantile, ratio_text, ratios, spread

ROUNDS = [
    {"claviger": {"cpu_us": 10.0}, "nginx": {"cpu_us": 20.0}},
    {"claviger": {"cpu_us": 30.0}, "nginx": {"cpu_us": 40.0}},
    {"claviger": {"cpu_us": 12.0}},
]


def test_quartiles_lie_between_the_nearest_values():
    assert spread([1, 2, 3, 4, 5]) == Spread(2, 3, 4, 5)
    assert quantile([1, 2], 0.25) == 1.25


def test_one_value_is_its_own_quartiles_and_none_has_none():
    assert spread([7]) == Spread(7, 7, 7, 1)
    assert spread([]) is None
    assert spread([None, None]) is None


def test_a_ratio_has_both_sides_of_one_round():
    assert ratios(ROUNDS, "claviger", "nginx", "cpu_us") == [0.5, 0.75]


def test_who_did_not_take_part_has_no_figure():
    assert column(ROUNDS, "nginx", "cpu_us") == [20.0, 40.0, None]
    assert ratios(ROUNDS, "claviger", "haproxy", "cpu_us") == []


def test_a_ratio_to_nothing_is_left_out():
    assert ratios([{"claviger": {"x": 1}, "relay": {"x": 0}}], "claviger", "relay", "x") == []


def test_a_small_ratio_keeps_a_digit_that_says_something():
    assert [ratio_text(value) for value in (0.854, 0.1, 0.0043)] == ["0.85", "0.10", "0.004"]


def test_the_relative_spread_of_nothing_is_nothing():
    assert spread([0, 0]).relative == 0
    assert spread([1, 2, 3]).relative == 0.5
