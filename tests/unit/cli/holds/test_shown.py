"""What other commands say about held and erased incidents."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from recommendation_cli.app import recs
from recommendation_cli.export.verify import verify
from recommendation_shared.exact_json.printable import json_line
from recommendation_shared.item.encoding import decode_item
from recommendation_shared.item.holds import hold_attribute
from recommendation_shared.item.marks import Mark, mark_item
from tests.support.fakes.recommendation_table import IndexedDynamoDb, item, recommendation_id, runtime
from tests.support.marks import erased, held, released

BY = "held since 2026-02-01 09:00 UTC by assumed-role/RecommendationCuratorRole/ann: Legal hold 42"
MARK = held("incident-7")
assert MARK.hold is not None
HELD: Any = {name: value for name, value in item().items() if name != "ttl"} | {"hold": hold_attribute(MARK.hold)}


def _run(*args: str, mark: Mark = MARK, records: tuple[Any, ...] = (HELD,)) -> Result:
    return CliRunner().invoke(recs, args, obj=runtime(IndexedDynamoDb([*records, mark_item(mark)])))


@pytest.mark.parametrize("command", ["incident", "timeline"])
def test_an_incidents_lists_say_who_holds_it_and_why(command: str) -> None:
    """Above what its agents said."""
    result = _run(command, "incident-7")
    assert result.exit_code == 0, result.output
    assert f"This incident is {BY}" in result.stdout


def test_nothing_is_said_about_an_incident_that_was_released() -> None:
    """It is as any other."""
    stdout = _run("incident", "incident-7", mark=released("incident-7"), records=(item(),)).stdout
    assert "The deploy came first." in stdout
    assert "held" not in stdout
    assert "released" not in stdout


def test_show_says_who_holds_a_recommendation_and_that_its_digest_is_valid() -> None:
    """Next to its expiry, which is never."""
    result = _run("show", recommendation_id(HELD))
    assert result.exit_code == 0
    assert "never" in result.stdout
    assert BY.removeprefix("held ") in result.stdout
    assert "verified" in result.stdout


def test_lists_across_incidents_point_out_what_is_held() -> None:
    """Row by row."""
    assert " held" in _run("agent", "consensus").stdout
    incidents = _run("incidents").stdout
    assert f"incident-7 is {BY}" in incidents
    (record,) = json.loads(_run("incidents", "-o", "json").stdout)
    assert MARK.hold is not None
    assert record["hold"] == MARK.hold._asdict()


def test_report_says_who_holds_the_incident(tmp_path: Path) -> None:
    """In its header."""
    file = tmp_path / "incident.html"
    assert _run("report", "incident-7", "-o", str(file)).exit_code == 0
    assert BY in file.read_text()


def test_erased_incident_is_not_found_because_it_was_erased() -> None:
    """Otherwise somebody would search other tables and regions."""
    result = _run("incident", "incident-9", mark=erased("incident-9"))
    assert result.exit_code == 1
    assert "it was erased on 2026-02-02 by" in result.stderr


@pytest.mark.parametrize(
    "record",
    [
        HELD,
        {**item(), "erasure": {"M": {"by": {"S": "me"}, "at": {"S": "2026-02-01T09:00:00.000000Z"}}}},
    ],
    ids=["held", "about to be erased"],
)
def test_export_of_what_is_beside_the_content_is_verified(record: Any) -> None:
    """Line by line, as what the table held."""
    assert list(verify([json_line(decode_item(record))])) == [None]


def test_malformed_hold_in_an_export_is_found() -> None:
    """It is not what a command wrote."""
    line = json_line(decode_item({**HELD, "hold": {"S": "mine"}}))
    (problem,) = verify([line])
    assert problem is not None
