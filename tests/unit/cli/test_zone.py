from datetime import UTC, datetime

import click
import pytest
from click.testing import CliRunner

from recommendation_cli.app import recs
from recommendation_cli.runtime import Runtime
from recommendation_cli.zone import local_zone
from tests.support.fakes.recommendation_table import FakeDynamoDb, item

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "zone", ["", "UTC", "America/Santiago", ":Europe/Berlin", "CET-1CEST", "EST5EDT,M3.2.0,M11.1.0", "<+03>-3"]
)
def test_zones_that_exist_are_accepted(zone: str) -> None:
    """Names of the database and POSIX's own notation both are."""
    assert local_zone({"TZ": zone})(NOON) == NOON
    assert local_zone({})(NOON) == NOON


@pytest.mark.parametrize("zone", ["Santiago", "Europe", "Europe/Nowhere", "../etc/passwd", "/no/file", "X\x1b"])
def test_zones_that_do_not_exist_are_errors(zone: str) -> None:
    """The C library would silently use UTC, and every local time would be hours off."""
    with pytest.raises(click.UsageError, match="is not a time zone: use a name such as America/Santiago"):
        local_zone({"TZ": zone})(NOON)


def test_relative_times_report_it_too() -> None:
    """What works today would be wrong tomorrow, with another form of the time."""
    client = FakeDynamoDb([item()])
    runtime = Runtime(
        now=NOON.timestamp, environ={}, connect=lambda _target: client, localise=local_zone({"TZ": "Santiago"})
    )
    result = CliRunner().invoke(recs, ["incident", "incident-7", "--since", "2h"], obj=runtime)
    assert result.exit_code == 2
    assert "TZ=Santiago is not a time zone" in result.stderr
