"""The pages on cost and scaling quote what the commands print."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from benchmarks.scaling.__main__ import SECONDS
from benchmarks.scaling.deployments import deployments
from benchmarks.scaling.report import limits_table, rates_table
from benchmarks.usage import cost_comparison, profile
from recommendation_cli.app import recs
from recommendation_cli.cost.prices import Prices
from tests.support.fakes.recommendation_table import FakeDynamoDb, runtime

pytestmark = pytest.mark.one_python

DOCS = Path(__file__).parents[3] / "docs"


def test_cost_page_quotes_the_bill_that_recs_cost_prints() -> None:
    """Every line is quoted verbatim."""
    done = CliRunner().invoke(recs, ["cost", "--incidents", "1000"], obj=runtime(FakeDynamoDb()))
    assert f"$ recs cost --incidents 1000\n{done.stdout}```" in (DOCS / "cost.md").read_text()


def test_cost_page_quotes_the_comparison_and_the_measured_profile() -> None:
    """After a new measurement, update the tables in docs/cost.md."""
    text, prices = (DOCS / "cost.md").read_text(), Prices.shipped()
    assert cost_comparison.table(cost_comparison.estimated(prices), cost_comparison.measured(prices)) in text
    assert cost_comparison.switches(prices) in text
    assert profile.table(json.loads(profile.SHIPPED.read_text())) in text


def test_comparison_covers_every_line_of_the_bill() -> None:
    """The total of the comparison equals the total of the bill."""
    done = CliRunner().invoke(recs, ["cost", "--incidents", "1000", "-o", "json"], obj=runtime(FakeDynamoDb()))
    compared = sum(cost_comparison.measured(Prices.shipped()).values())
    assert abs(json.loads(done.stdout)["usd"] - compared) < 1e-9


def test_scaling_page_quotes_the_simulated_limits_and_lags() -> None:
    """The limits of every deployment, and every rate on a new and on a warm table."""
    text, simulated = (DOCS / "scaling.md").read_text(), deployments()
    assert limits_table(simulated, SECONDS) in text
    for name in ("new table", "warm table"):
        assert rates_table(simulated[name], SECONDS, seed=1) in text
