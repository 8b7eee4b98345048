import json

import pytest
from click.testing import CliRunner

from recommendation_cli.app import recs
from tests.support.fakes.recommendation_table import FakeDynamoDb, IndexedDynamoDb, item, recommendation_id, runtime


@pytest.mark.parametrize("command", ["incident", "execution", "agent", "show"])
def test_several_ids_are_read_from_arguments_and_standard_input(command: str) -> None:
    """Each once, in the order given; blank lines do not matter."""
    table = [
        item(incident_id=f"incident-{n}", execution_id=f"execution-{n}", agent_type=f"agent-{n}") for n in (1, 2, 3)
    ]
    names = {"incident": "incidentId", "execution": "executionId", "agent": "agentType", "show": "recommendationId"}
    ids = [stored[names[command]]["S"] for stored in table]
    client = IndexedDynamoDb(table) if command != "show" else FakeDynamoDb(table)
    given = f"{ids[1]}\n\n{ids[0]}\n{ids[2]}\n"
    args = [command, ids[2], "-", "-o", "jsonl"]
    result = CliRunner().invoke(recs, args, input=given, obj=runtime(client))
    assert result.exit_code == 0, result.output
    assert [json.loads(line)["recommendationId"] for line in result.stdout.splitlines()] == [
        recommendation_id(table[number]) for number in (2, 1, 0)
    ]


def test_of_several_ids_those_that_are_wrong_are_named_after_the_others() -> None:
    """With exit code 1; nothing on standard input is a usage error."""
    client = IndexedDynamoDb([item()])
    result = CliRunner().invoke(recs, ["incident", "incident-7", "zebra"], obj=runtime(client))
    assert result.exit_code == 1
    assert "The deploy came first." in result.stdout
    assert "No recommendation of incident zebra" in result.stderr
    assert CliRunner().invoke(recs, ["incident", "-"], input="\n", obj=runtime(client)).exit_code == 2
