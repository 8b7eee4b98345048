"""What the pages on cost and scaling say is what the commands print."""

import json
from pathlib import Path

from click.testing import CliRunner

from benchmarks.scaling import __main__ as scaling
from benchmarks.usage import __main__ as usage
from benchmarks.usage import cost_comparison
from recommendation_cli.app import recs
from recommendation_cli.cost.prices import Prices
from tests.support.fakes.recommendation_table import FakeDynamoDb, runtime

DOCS = Path(__file__).parents[3] / "docs"


def test_the_bill_is_what_recs_cost_prints() -> None:
    """Line by line."""
    done = CliRunner().invoke(recs, ["cost", "--incidents", "1000"], obj=runtime(FakeDynamoDb()))
    assert f"$ recs cost --incidents 1000\n{done.stdout}```" in (DOCS / "cost.md").read_text()


def test_the_comparison_and_the_measurements_are_printed_ones() -> None:
    """After a new measurement: the docs anew."""
    text, prices = (DOCS / "cost.md").read_text(), Prices.shipped()
    assert cost_comparison.table(cost_comparison.estimated(prices), cost_comparison.measured(prices)) in text
    assert usage.table(json.loads(usage.PROFILE.read_text())) in text


def test_every_line_of_the_bill_is_compared() -> None:
    """The comparison's total is the bill's."""
    done = CliRunner().invoke(recs, ["cost", "--incidents", "1000", "-o", "json"], obj=runtime(FakeDynamoDb()))
    compared = sum(cost_comparison.measured(Prices.shipped()).values())
    assert abs(json.loads(done.stdout)["usd"] - compared) < 1e-9


def test_bounds_and_lags_are_simulated_ones() -> None:
    """A new table and a warm one, at every rate."""
    text, found = (DOCS / "scaling.md").read_text(), scaling.settings()
    assert scaling.ceilings(found, scaling.SECONDS) in text
    for name in ("new table", "warm table"):
        assert scaling.table(found[name], scaling.SECONDS, seed=1) in text
