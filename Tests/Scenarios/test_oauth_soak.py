"""Fifty callers through many expiries, in short; `make soak` is the long form."""

from conftest import next_directory
from oauth_soak import Soak


def test_fifty_callers_through_expiries(runs):
    with Soak(next_directory(runs), expiries=24, callers=50, grants=3, kills=None, seed=1) as soak:
        soak.run()
        assert not soak.failures, soak.failures
        assert soak.provider.families_revoked == 0 and soak.counts[200] > 100, soak.line()


def test_fifty_callers_and_a_gateway_that_is_killed(runs):
    with Soak(next_directory(runs), expiries=36, callers=50, grants=3, kills=1.5, seed=2) as soak:
        soak.run()
        assert not soak.failures, soak.failures
        assert len(soak.killed) >= 2, soak.line()
