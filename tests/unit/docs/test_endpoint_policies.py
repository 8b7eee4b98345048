"""The endpoint policies that docs/regions.md offers to copy let through what the identities need, and nothing else."""

import json
import re
from typing import Any

from infra.paths import ROOT
from infra.synthesis.synthesize import synthesize

POLICIES = [
    json.loads(text) for text in re.findall(r"```json\n(.*?)```", (ROOT / "docs" / "regions.md").read_text(), re.DOTALL)
]


def _actions(statements: list[dict[str, Any]], service: str) -> set[str]:
    named = [each["Action"] for each in statements if each["Effect"] == "Allow"]
    return {
        action
        for actions in named
        for action in ([actions] if isinstance(actions, str) else actions)
        if action.startswith(service)
    }


def test_sqs_endpoint_lets_executors_send_to_the_queue_and_nothing_else() -> None:
    """It allows exactly what the executor policy does, on the queue that the template names."""
    (statement,) = POLICIES[0]["Statement"]
    policy = synthesize({})["Resources"]["ExecutorPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert {statement["Action"]} == _actions(policy, "sqs:")
    assert statement["Resource"].endswith(":opx-recommendations")
    assert statement["Condition"]["StringEquals"]["aws:PrincipalAccount"] in statement["Resource"]


def test_dynamodb_endpoint_lets_readers_read_both_tables_and_reviewers_add_reviews() -> None:
    """It covers both roles, with and without compact indexes, and no action that changes, deletes or scans."""
    statement, writing = POLICIES[1]["Statement"]
    reader = synthesize({"CompactIndexes": "true"})["Resources"]["ReaderRole"]["Properties"]["Policies"]
    needed = _actions(reader[0]["PolicyDocument"]["Statement"], "dynamodb:")
    assert needed <= set(statement["Action"]) <= needed | {"dynamodb:DescribeTable"}
    table, indexes, reviews, by_time = statement["Resource"]
    assert table.endswith(":table/opx-agent-recommendations")
    assert (indexes, by_time) == (f"{table}/index/*", f"{reviews}/index/*")
    reviewer = synthesize({})["Resources"]["ReviewerRole"]["Properties"]["Policies"]
    more = _actions(reviewer[0]["PolicyDocument"]["Statement"], "dynamodb:") - needed
    assert more == {writing["Action"]} == {"dynamodb:PutItem"}
    assert writing["Resource"] == reviews
    assert reviews.endswith(":table/opx-recommendation-reviews")
