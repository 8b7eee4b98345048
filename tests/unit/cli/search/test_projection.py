import sys
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from botocore.exceptions import ClientError
from click.testing import CliRunner, Result

from recommendation_cli.app import recs
from tests.support.fakes.recommendation_table import TABLE, FakeDynamoDb, IndexedDynamoDb, item, runtime

_LARGE = {"findings": "x" * 1000, "recommended_action": "restart it"}


def _list(client: FakeDynamoDb, *args: str) -> Result:
    result = CliRunner().invoke(recs, ["incident", "incident-7", *args], obj=runtime(client))
    assert result.exit_code == 0, result.output
    return result


def _names(query: Mapping[str, Any]) -> set[str]:
    return set(query["ExpressionAttributeNames"].values())


def test_a_list_does_not_ask_for_what_it_does_not_print() -> None:
    """Other formats get whole items."""
    client = IndexedDynamoDb([item(recommendation=_LARGE)])
    _list(client)
    assert {"reasoning", "status", "unified_recommendation"} <= _names(client.queries[0])
    assert "citations" not in _names(client.queries[0])
    assert "findings" in _list(client, "-o", "json").stdout
    assert "ProjectionExpression" not in client.queries[1]


def test_a_consensus_without_reasoning_is_listed_by_its_unified_recommendation() -> None:
    """One query suffices."""
    said = {"unified_recommendation": {"recommended_action": "roll back"}, "agreement_level": "STRONG"}
    client = IndexedDynamoDb([item(reasoning="", recommendation=said)])
    assert "recommended_action: roll back · agreement_level: STRONG" in _list(client).stdout
    assert len(client.queries) == 1


def test_a_page_of_agents_without_reasoning_is_read_again_with_what_they_recommend() -> None:
    """So the list is the same as before, at the price of one page."""
    client = IndexedDynamoDb([item(reasoning="", recommendation=_LARGE), item("knowledge-rag", age=timedelta(hours=1))])
    assert "recommended_action: restart it" in _list(client).stdout
    assert len(client.queries) == 2


def test_an_index_that_lacks_an_attribute_is_read_as_it_is() -> None:
    """DynamoDB refuses to project what a compact index does not hold."""

    class Compact(IndexedDynamoDb):
        def query(self, **parameters: Any) -> Mapping[str, Any]:
            if "ProjectionExpression" in parameters:
                message = "Global secondary index incidentId-timestamp-index does not project contentDigest"
                raise ClientError({"Error": {"Code": "ValidationException", "Message": message}}, "Query")
            return super().query(**parameters)

    assert "The deploy came first." in _list(Compact([item()])).stdout


def test_a_list_is_printed_page_by_page() -> None:
    """An execution that goes on after another one gets its heading again; the titles appear once."""
    names = ("execution-1", "execution-2", "execution-1")
    pages = [[item(age=timedelta(seconds=number), execution_id=name)] for number, name in enumerate(names)]
    printed: list[int] = []

    class Paged(FakeDynamoDb):
        def query(self, **parameters: Any) -> Mapping[str, Any]:
            output: Any = sys.stdout  # click's, which keeps what was written
            if parameters["TableName"] == TABLE:  # not that of reviews
                printed.append(output.buffer.getvalue().count(b"The deploy came first."))
            return super().query(**parameters)

    output = _list(Paged(*pages)).stdout
    assert printed == [0, 1, 2]
    assert output.count("time (UTC)") == 1
    headings = [line for line in output.splitlines() if line.startswith("Execution")]
    assert headings == [
        "Execution execution-1 · 2026-01-31 UTC",
        "Execution execution-2 · 2026-01-31 UTC",
        "Execution execution-1 · 2026-01-31 UTC (continued)",
    ]
