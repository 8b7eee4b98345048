from decimal import Decimal

import click
import pytest
from starlette.datastructures import QueryParams

from recommendation_cli.options.listing import ListOptions
from recommendation_cli.ui.form import fields_of, list_options_of
from tests.support.fakes.recommendation_table import FakeDynamoDb, runtime


def _parsed(query: str) -> ListOptions:
    return list_options_of(runtime(FakeDynamoDb()), QueryParams(query))


def test_an_address_means_what_the_options_mean() -> None:
    """Fields left empty do not matter, nor do parameters that are no filter."""
    listed = _parsed("since=24h&until=&agent=consensus&agent=a&failed=1&min-confidence=0.8&min-duration=30s&page=2")
    assert listed == ListOptions(
        since="2026-01-31T12:00:00.000000Z",
        agents=("consensus", "a"),
        min_confidence=Decimal("0.8"),
        failed=True,
        min_duration=30_000,
    )


@pytest.mark.parametrize("query", ["since=tomorrow", "min-confidence=high", "limit=0", "status=odd", "limit=--failed"])
def test_a_wrong_value_is_the_usage_error_of_the_command(query: str) -> None:
    """Its message names the option and what is allowed."""
    with pytest.raises(click.UsageError) as error:
        _parsed(query)
    assert f"'--{query.partition('=')[0]}'" in error.value.format_message()


def test_the_form_shows_what_was_asked() -> None:
    """Under the names that templates use."""
    fields = fields_of(QueryParams("since=24h&min-confidence=0.8"))
    assert (fields["since"], fields["min_confidence"], fields["until"]) == ("24h", "0.8", "")
