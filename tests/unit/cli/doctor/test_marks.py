"""The findings of `recs doctor` about held incidents, and about commands that were interrupted."""

from typing import Any

import pytest

from recommendation_cli.doctor.checks import Finding
from recommendation_cli.doctor.marks import check_mark
from recommendation_cli.search.marks import UnreadableMark, find_mark
from recommendation_shared.item.holds import hold_attribute
from recommendation_shared.item.marks import Entry, Mark, State, mark_item, mark_key, moved
from tests.support.fakes.conditional_table import ConditionalTable
from tests.support.fakes.recommendation_table import item
from tests.support.marks import ANN, HELD_AT, erased, held, released

MARK = held("incident-7")
assert MARK.hold is not None
PLAIN = item()
HELD: Any = {name: value for name, value in PLAIN.items() if name != "ttl"} | {"hold": hold_attribute(MARK.hold)}


def _findings(mark: Mark | UnreadableMark, *records: Any) -> list[Finding]:
    table = ConditionalTable({record["recommendationId"]["S"]: record for record in records}, page=1)
    return list(check_mark(table, "table", mark))


def test_a_held_incident_is_listed_with_who_holds_it_and_why() -> None:
    """All of its records are as they should be."""
    (found,) = _findings(MARK, HELD)
    assert found.state == "passed"
    assert found.expected.startswith("incident-7 is held since 2026-02-01 09:00 UTC by ")
    assert found.expected.endswith("Legal hold 42")


@pytest.mark.parametrize(
    ("mark", "record", "actual", "remedy"),
    [
        (MARK, PLAIN, "1 of 2 records has a ttl", "recs hold incident-7 again"),
        (released("incident-7"), HELD, "1 of 2 records has a hold", "recs release incident-7 again"),
    ],
    ids=["held", "released"],
)
def test_an_interrupted_command_fails_with_its_remedy(mark: Mark, record: Any, actual: str, remedy: str) -> None:
    """Whoever was interrupted may not have noticed."""
    (found,) = _findings(mark, record, item("knowledge-rag", retention=None))
    assert found.state == "failed"
    assert actual in found.actual
    assert remedy in found.remedy


def test_an_erasure_under_way_fails() -> None:
    """Something may be left."""
    mark = moved(None, "incident-7", Entry(State.ERASING, ANN, HELD_AT, "Request 7"))
    (found,) = _findings(mark)
    assert (found.state, "recs erase" in found.remedy) == ("failed", True)


@pytest.mark.parametrize("mark", [released("incident-7"), erased("incident-7")], ids=["released", "erased"])
def test_what_is_done_is_not_mentioned(mark: Mark) -> None:
    """The marks stay, and would pile up."""
    assert _findings(mark, PLAIN) == []


def test_a_mark_that_cannot_be_read_fails() -> None:
    """A consumer ignores it, so its incident is not held."""
    broken = {**mark_item(MARK), "note": {"S": "mine"}}
    mark = find_mark(ConditionalTable({mark_key("incident-7"): broken}), "table", "incident-7")
    assert isinstance(mark, UnreadableMark)
    (found,) = _findings(mark)
    assert (found.state, mark.key in found.expected) == ("failed", True)
