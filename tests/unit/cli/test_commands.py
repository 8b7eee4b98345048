"""What `recs` answers and how it ends, over a table in memory."""

import json
import os
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import click
import pytest
from botocore import exceptions as aws
from botocore.parsers import ResponseParserError
from click.testing import CliRunner, Result

from recommendation_cli.app import recs
from recommendation_cli.aws.connection import EndpointError, NotDynamoDbError
from recommendation_cli.aws.errors import ExitCode
from recommendation_cli.runtime import Runtime
from recommendation_shared.settings import Settings
from tests.support.fakes.recommendation_table import (
    NOW,
    TABLE,
    FakeDynamoDb,
    IndexedDynamoDb,
    item,
    items,
    recommendation_id,
    runtime,
)


def _run(client: FakeDynamoDb, *args: str, environ: Mapping[str, str] | None = None) -> Result:
    return CliRunner().invoke(recs, args, obj=runtime(client, environ))


def _refusal(code: str, message: str = "") -> aws.ClientError:
    return aws.ClientError({"Error": {"Code": code, "Message": message}}, "Query")


@pytest.mark.parametrize(
    ("command", "value", "index"),
    [
        ("incident", "incident-7", "incidentId-timestamp-index"),
        ("agent", "consensus", "agentType-timestamp-index"),
        ("execution", "execution-1", "executionId-timestamp-index"),
    ],
)
def test_each_list_reads_its_index(command: str, value: str, index: str) -> None:
    """And prints what it finds."""
    client = FakeDynamoDb(items(2))
    result = _run(client, command, value)
    assert result.exit_code == 0
    assert result.stdout.count("The deploy came first.") == 2
    assert client.queries[0]["IndexName"] == index
    assert client.queries[0]["ExpressionAttributeValues"] == {":key": {"S": value}}
    assert client.queries[0]["TableName"] == TABLE


def test_a_list_ends_with_what_was_found_and_how_to_go_on() -> None:
    """On stderr, so that a pipe gets the table only."""
    made = [*items(3), item("old", age=timedelta(days=200))]
    result = _run(FakeDynamoDb(made), "incident", "incident-7")
    assert "3 recommendations, 1 expired hidden (--include-expired shows them)" in result.stderr
    assert f"recs show {recommendation_id(made[0])}" in result.stderr
    assert "expired" not in result.stdout


def test_a_limit_says_that_there_is_more() -> None:
    """Instead of passing a part for the whole."""
    result = _run(FakeDynamoDb(items(3)), "incident", "incident-7", "--limit", "1")
    assert "the newest 1 recommendation; there are older ones" in result.stderr
    assert result.stdout.count("The deploy came first.") == 1


def test_a_period_is_read_with_the_clock() -> None:
    """`--since 24h` counts from now."""
    client = FakeDynamoDb(items(1))
    assert _run(client, "agent", "consensus", "--since", "24h", "--until", "2026-02-01").exit_code == 0
    assert client.queries[0]["ExpressionAttributeValues"] == {
        ":key": {"S": "consensus"},
        ":since": {"S": "2026-01-31T12:00:00.000000Z"},
        ":until": {"S": "2026-02-01T23:59:59.999999Z"},
    }


def _three() -> IndexedDynamoDb:
    made = [item(confidence=0.1), item("knowledge-rag", confidence=0.8), item("change-intelligence", confidence="high")]
    return IndexedDynamoDb(made)


@pytest.mark.parametrize(
    ("args", "agents"),
    [
        (("--agent", "consensus"), {"consensus"}),
        (("--agent", "consensus", "--agent", "knowledge-rag"), {"consensus", "knowledge-rag"}),
        (("--min-confidence", "0.1"), {"consensus", "knowledge-rag"}),  # as a double, 0.1 is more than 0.1
        (("--min-confidence", "0.2"), {"knowledge-rag"}),
        (("--min-confidence", "0"), {"consensus", "knowledge-rag"}),  # one that is no number is never enough
        (("--min-confidence", "0.2", "--limit", "1"), {"knowledge-rag"}),
    ],
)
def test_lists_are_narrowed_to_agents_and_confidence(args: tuple[str, ...], agents: set[str]) -> None:
    """In every form; the limit counts what is left."""
    listed = _run(_three(), "incident", "incident-7", *args, "-o", "json")
    assert {document["agentType"] for document in json.loads(listed.stdout)} == agents
    timeline = _run(_three(), "timeline", "incident-7", *args, "-o", "json")
    assert {event["agentType"] for event in json.loads(timeline.stdout)} == agents


def test_a_narrowed_list_says_so() -> None:
    """Before the first line, in the words of the options, with the period in UTC."""
    args = ("incident", "incident-7", "--agent", "consensus", "--min-confidence", "0.1", "--since", "2026-01-31")
    result = _run(_three(), *args)
    assert result.stdout.startswith("Only agent consensus, confidence of at least 0.1; since 2026-01-31 00:00:00 UTC\n")
    assert "1 recommendation, 2 others left out by --agent or --min-confidence." in result.stderr


def test_a_filter_that_nothing_passes_says_what_there_is() -> None:
    """Of which agents."""
    result = _run(_three(), "incident", "incident-7", "--agent", "consensu")
    assert result.exit_code == 1
    assert "None of the 3 recommendations of incident incident-7 has agent consensu: they are of " in result.stderr
    assert "knowledge-rag (1)" in result.stderr


@pytest.mark.parametrize("args", [("-o", "json", "incident", "incident-7"), ("incident", "incident-7", "-o", "json")])
def test_options_stand_before_or_after_the_command(args: tuple[str, ...]) -> None:
    """And the one after it wins."""
    assert len(json.loads(_run(FakeDynamoDb(items(2)), *args).stdout)) == 2
    assert _run(FakeDynamoDb(items(2)), "-o", "csv", *args[-2:], *args[:2]).stdout != ""


@pytest.mark.parametrize(("form", "empty"), [("json", []), ("jsonl", None), ("csv", None), ("table", None)])
def test_nothing_found_is_an_exit_code_of_its_own(form: str, empty: list[Any] | None) -> None:
    """With one sentence that says what to check, and where it looked; JSON output stays JSON."""
    result = _run(FakeDynamoDb([]), "incident", "incident-8", "-o", form)
    assert result.exit_code == 1
    assert result.stderr == (
        f"Error: No recommendation of incident incident-8 in table {TABLE} in us-east-1: check the ID, --table and"
        " --region, and that it has not expired; nothing similar is among the newest 100 of each usual agent type.\n"
    )
    if empty is not None:
        assert json.loads(result.stdout) == empty
    if form == "table":
        assert result.stdout == ""


@pytest.mark.parametrize(
    ("args", "page", "advice"),
    [
        (["incident", "incident-7"], [item(retention=1)], "Nothing current of incident incident-7: --include-expired"),
        (["incident", "incident-7", "--since", "1h"], [item()], "only outside of it: widen --since and --until"),
        (["incident", "incident-7", "--since", "1h"], [], "check the ID, --table and --region"),
        (["agent", "oracle"], [], "the usual types are signal-intelligence, historical-pattern"),
        (["agent", "consensu"], [], "did you mean consensus?"),
        (["agent", "consensus"], [], "check --table and --region"),
        (["incident", "\x1b[2J"], [], r"incident \x1b[2J in table"),
        (["show", "rec-1"], [], "No recommendation rec-1 in table"),
        (["show", "rec-incident-7-consensus-2026-01-31T12:00:00Z"], [item(retention=1)], "--include-expired shows it"),
    ],
)
def test_nothing_found_comes_with_the_remedy(args: list[str], page: list[Any], advice: str) -> None:
    """Which depends on why nothing was found."""
    result = _run(IndexedDynamoDb(page), *args)
    assert result.exit_code == 1
    assert advice in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "args",
    [
        [],
        ["incident"],
        ["incident", ""],
        ["incident", "x" * 1025],
        ["incident", "\udcff"],
        ["incident", "i", "--limit", "0"],
        ["incident", "i", "--since", "yesterday"],
        ["incident", "i", "--min-confidence", "87"],
        ["incident", "i", "--min-confidence", "high"],
        ["incident", "i", "--min-confidence", "nan"],
        ["agent", "consensus", "--agent", "consensus"],
        ["completion", "powershell"],
        ["incident", "i", "--since", "2026-02-01", "--until", "2026-01-01"],
        ["incident", "i", "-o", "xml"],
        ["show", "rec-1", "--limit", "3"],
        ["delete", "everything"],
    ],
)
def test_wrong_usage_ends_with_2(args: list[str]) -> None:
    """Before anything is read."""
    client = FakeDynamoDb(items(1))
    assert _run(client, *args).exit_code == 2
    assert client.queries == []


def test_a_wrong_environment_is_wrong_usage() -> None:
    """The message names the variable."""
    result = _run(FakeDynamoDb([]), "incident", "i", environ={"RECOMMENDATIONS_TABLE": "a b"})
    assert result.exit_code == 2
    assert "RECOMMENDATIONS_TABLE" in result.stderr


def test_the_table_comes_from_the_option_or_the_environment() -> None:
    """The option wins."""
    environ = {"RECOMMENDATIONS_TABLE": "from-environment"}
    client = FakeDynamoDb(items(1))
    _run(client, "incident", "incident-7", environ=environ)
    _run(client, "incident", "incident-7", "--table", "from-option", environ=environ)
    assert [query["TableName"] for query in client.queries] == ["from-environment", "from-option"]


def test_help_names_the_real_default() -> None:
    """Which is written out there, because reading it would make help slow."""
    assert Settings.from_env({}).table_name in " ".join(_run(FakeDynamoDb(), "incident", "--help").stdout.split())


def _commands(group: click.Group, *names: str) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        yield (*names, name)
        if isinstance(command, click.Group):
            yield from _commands(command, *names, name)


@pytest.mark.parametrize("names", list(_commands(recs)), ids=" ".join)
def test_every_help_has_an_example_of_the_command(names: tuple[str, ...]) -> None:
    """That can be typed, and fits into 100 columns."""
    help_text = _run(FakeDynamoDb(), *names, "-h").stdout
    assert "Example" in help_text
    assert f"recs {' '.join(names)}" in help_text.partition("Example")[2]
    assert max(map(len, help_text.splitlines())) <= 100


def test_help_and_documentation_have_every_exit_code() -> None:
    """With its meaning."""
    codes = _run(FakeDynamoDb(), "--help").stdout.partition("Exit codes:")[2]
    assert {int(found) for found in re.findall(r"^ +(\d+)  ", codes, re.MULTILINE)} == {0, 2, *ExitCode}
    page = Path(__file__).parents[3].joinpath("docs", "recs.md").read_text().partition("## Exit codes")[2]
    assert {int(found) for found in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)} == {0, 2, *ExitCode}


def test_show_verifies_the_digest() -> None:
    """And says so."""
    made = item()
    result = _run(FakeDynamoDb([made]), "show", recommendation_id(made))
    assert result.exit_code == 0
    assert f"verified, SHA-256 {made['contentDigest']['S']}" in result.stdout


@pytest.mark.parametrize("form", ["table", "json", "jsonl", "csv"])
def test_a_changed_item_is_shown_and_reported(form: str) -> None:
    """In every format, by an exit code of its own."""
    made = item()
    changed = {**made, "confidence": {"N": "0.99"}}
    result = _run(FakeDynamoDb([changed]), "show", recommendation_id(made), "-o", form)
    assert result.exit_code == 4
    assert "not what the consumer wrote: contentDigest says " in result.stderr
    assert "0.99" in result.stdout


def test_an_item_without_digest_is_reported() -> None:
    """Nothing that the consumer writes lacks it."""
    made = item()
    del made["contentDigest"]
    result = _run(FakeDynamoDb([made]), "show", recommendation_id(made))
    assert result.exit_code == 4
    assert "it has no contentDigest" in result.stderr


def test_show_as_json_is_one_object() -> None:
    """Not an array: there is exactly one."""
    made = item(confidence=0.1)
    document = json.loads(_run(FakeDynamoDb([made]), "show", recommendation_id(made), "-o", "json").stdout)
    assert (document["confidence"], document["incidentId"]) == (0.1, "incident-7")


def test_show_shows_an_expired_item_on_request() -> None:
    """While DynamoDB still has it."""
    made = item(retention=1)
    assert _run(FakeDynamoDb([made]), "show", recommendation_id(made), "--include-expired").exit_code == 0


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (_refusal("ResourceNotFoundException"), f"There is no table {TABLE} in us-east-1: check --table"),
        (
            _refusal("AccessDeniedException", "not authorized"),
            "RecommendationReaderRole. DynamoDB says: not authorized",
        ),
        (_refusal("ExpiredTokenException"), "credentials have expired: sign in again"),
        (_refusal("UnrecognizedClientException"), "does not accept these credentials"),
        (_refusal("ThrottlingException"), "throttling reads: try again"),
        (_refusal("ValidationException", "no such index"), "lacks an index"),
        (_refusal("ValidationException", "bad \x1b[2J"), r"refused the call on table"),
        (_refusal("InternalServerError", "oops"), "(InternalServerError): oops"),
        (aws.NoCredentialsError(), "No usable AWS credentials: sign in"),
        (aws.UnauthorizedSSOTokenError(), "run aws sso login"),
        (aws.ProfileNotFound(profile="p"), "aws configure list-profiles"),
        (aws.NoRegionError(), "No AWS region is set: pass --region"),
        (aws.EndpointConnectionError(endpoint_url="http://x"), "No answer from the table"),
        (aws.ReadTimeoutError(endpoint_url="http://x"), "No answer from the table"),
        (aws.InvalidRegionError(region_name="a b"), "AWS could not be called"),
        (NotDynamoDbError(), "is not DynamoDB: check --endpoint-url"),
        (ResponseParserError("<html>"), "is not DynamoDB: check --endpoint-url"),
    ],
)
def test_aws_errors_are_one_sentence_with_the_remedy(error: Exception, sentence: str) -> None:
    """And exit code 3, on lists and on single items."""
    for args in (["incident", "incident-7", "-o", "jsonl"], ["show", "rec-1"]):
        result = _run(FakeDynamoDb(error), *args)
        assert result.exit_code == 3
        assert sentence in result.stderr
        assert result.stderr.count("\n") == 1
        assert "\x1b" not in result.stderr


@pytest.mark.parametrize(
    "error",
    [EndpointError("Invalid endpoint: x"), aws.ParamValidationError(report="TableName: too short")],
)
def test_input_that_aws_cannot_take_is_wrong_usage(error: Exception) -> None:
    """It never left this machine."""
    result = _run(FakeDynamoDb(error), "show", "rec-1")
    assert result.exit_code == 2
    assert " ".join(str(error).split()) in result.stderr


def test_an_error_on_a_later_page_is_not_a_full_answer() -> None:
    """What was read before is printed, and the exit code says that it is not all."""
    result = _run(FakeDynamoDb(items(1), _refusal("ThrottlingException")), "incident", "incident-7", "-o", "jsonl")
    assert result.exit_code == 3
    assert result.stdout.count("\n") == 1


def test_interrupting_is_no_traceback() -> None:
    """Nor "nothing found"."""

    class Interrupted(FakeDynamoDb):
        def query(self, **_parameters: Any) -> Mapping[str, Any]:
            raise KeyboardInterrupt

    result = _run(Interrupted(), "incident", "incident-7")
    assert result.exit_code == 130
    assert "Traceback" not in result.output


def test_the_process_brings_its_own_clock_and_environment() -> None:
    """A client is only made when a command needs it."""
    real = Runtime.of_process()
    assert real.environ is os.environ
    assert real.now() > NOW.timestamp()
