from datetime import timedelta
from typing import Any

import pytest

from recommendation_cli.facts import facts, succeeded
from recommendation_cli.incidents.incident import Incident
from recommendation_cli.report.totals import Totals
from recommendation_cli.screen.terminal import status_mark
from recommendation_cli.search.filters import Filter
from recommendation_cli.stats.collect import Span, Tallies
from recommendation_cli.summary import summarise
from recommendation_cli.timeline.executions import as_events, group_by_execution
from recommendation_shared.item.encoding import decode_item
from tests.support.fakes.recommendation_table import COMPLETED, item


@pytest.mark.parametrize(
    ("status", "text", "failed"),
    [
        ("SUCCESS", "SUCCESS", False),
        ("success", "success", False),
        ("", "", False),
        (None, "", False),
        ("PARTIAL", "PARTIAL", True),
        ("SUCCESSFUL IN PART", "SUCCESSFUL IN PART", True),
        (5, "5", True),
        (True, "true", True),
        ({"code": 0}, '{"code":0}', True),
        ([], "[]", True),
    ],
)
def test_every_command_has_the_same_idea_of_a_failure(status: Any, text: str, failed: bool) -> None:
    """A status that is not text is not a success, whether it is counted, filtered, listed or charted."""
    document = decode_item(item("knowledge-rag", metadata={"status": status}))
    assert facts(document).status == text
    assert succeeded(text) is not failed
    assert Filter(failed=True).passes(document) is failed
    assert status_mark(summarise(document).status).plain.startswith("!") is failed
    incident, tallies = Incident("incident-7", "", ""), Tallies()
    incident.add(document, matches=True)
    assert incident.failed.total() == failed
    tallies.add([document], Span(COMPLETED, COMPLETED + timedelta(days=1)), Filter())
    assert tallies.everything.failed == failed
    executions = group_by_execution([document])
    assert Totals.of(executions).failed == failed
    assert [event["failed"] for event in as_events(executions)] == [failed]
