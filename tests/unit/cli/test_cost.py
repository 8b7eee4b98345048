"""A month's bill: measured usage times dated prices, and nothing that is not known."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from infra.local.deployment import load_template
from recommendation_cli.app import recs
from recommendation_cli.cost import bill as cost
from recommendation_cli.cost.bill import Workload, bill
from recommendation_cli.cost.prices import Prices
from recommendation_cli.cost.profile import Profile, billed_requests
from tests.support.fakes.recommendation_table import FakeDynamoDb, runtime

ROOT = Path(__file__).parents[3]
MONTH = Workload(1_000)


def _lines(work: Workload) -> dict[str, cost.Line]:
    return {line.what: line for line in bill(work, Profile.shipped(), Prices.shipped())}


def _run(*args: str) -> Result:
    return CliRunner().invoke(recs, ["cost", *args], obj=runtime(FakeDynamoDb()))


@pytest.mark.parametrize("row", Profile.shipped().rows, ids=lambda row: str(row["envelope_bytes"]))
def test_the_rules_give_what_was_measured(row: dict[str, Any]) -> None:
    """SQS's chunks of 64 KB and DynamoDB's units of 1 KB, at every measured size."""
    work = Workload(1, size=row["envelope_bytes"])
    assert billed_requests(7, work.size) == row["send_requests"]
    lines = _lines(work)
    assert lines["writes to the table"].quantity == pytest.approx(row["table_write_units"])
    assert lines["writes to 3 indexes"].quantity == pytest.approx(row["index_write_units"])
    assert _lines(replace(work, compact=True))["writes to 3 indexes"].quantity == pytest.approx(21)
    assert lines["delete"].quantity == row["delete_requests"]


@pytest.mark.parametrize(
    ("count", "size", "requests"),
    [(7, 5_120, 1), (10, 6_553, 1), (10, 6_554, 2), (11, 5_120, 2), (1, 65_536, 1), (1, 65_537, 2), (2, 1_048_576, 32)],
)
def test_requests_are_billed_by_64_kb_of_a_call(count: int, size: int, requests: int) -> None:
    """A call takes ten messages and 1 MiB."""
    assert billed_requests(count, size) == requests


def test_idle_pollers_are_a_cost_of_their_own() -> None:
    """Five long polls of 20 s, all month, whatever arrives."""
    line = _lines(MONTH)["empty receives of 5 idle pollers"]
    assert line.quantity == 5 * 730 * 3600 / 20
    assert line.usd == pytest.approx(657_000 * 0.40 / 1e6)
    assert line == _lines(Workload(1))["empty receives of 5 idle pollers"]


def test_storage_is_that_of_the_days_kept_with_each_index_entry() -> None:
    """100 bytes more for each item and each entry; recovery counts the table alone."""
    lines, one = _lines(replace(MONTH, days_kept=365)), Profile.shipped().recommendation(MONTH.size)
    kept = 7_000 * 12
    assert lines["storage of items, 365 days"].quantity == pytest.approx(kept * (one.item_bytes + 100) / 1e9)
    assert lines["storage of indexes, 365 days"].quantity == pytest.approx(3 * kept * (one.item_bytes + 100) / 1e9)
    assert lines["point-in-time recovery"].quantity == lines["storage of items, 365 days"].quantity
    assert lines["deletes by TTL"].usd == 0


def test_an_incidents_own_metrics_are_billed_for_an_hour_and_can_be_left_out() -> None:
    """One for each agent of each incident."""
    line = _lines(MONTH)["metrics by incident, an hour each"]
    assert line.quantity == 7_000
    assert line.usd == pytest.approx(7_000 * 0.30 / 730)
    assert _lines(replace(MONTH, incident_metrics=False))["metrics by incident, an hour each"].usd == 0


def test_compact_indexes_cost_less_to_write_and_more_to_read() -> None:
    """One unit each, and a read of the whole items beside the index."""
    whole, compact = _lines(MONTH), _lines(replace(MONTH, compact=True))
    assert compact["writes to 3 indexes"].quantity == 3 * 7_000
    assert whole["writes to 3 indexes"].quantity == 15 * 7_000
    assert compact["reads"].usd > whole["reads"].usd


def test_a_rare_invocation_pays_for_a_cold_start() -> None:
    """Frequent ones do not."""
    rare, frequent = _lines(MONTH)["time"], _lines(Workload(100_000))["time"]
    assert rare.quantity / 1_000 > 5 * frequent.quantity / 100_000


def test_a_key_of_ones_own_adds_two_lines() -> None:
    """And only when asked for."""
    assert {line.service for line in _lines(replace(MONTH, kms=True)).values()} - {
        line.service for line in _lines(MONTH).values()
    } == {"KMS"}


def test_what_is_assumed_of_the_template_is_in_it() -> None:
    """Memory, log retention, alarms and dashboard."""
    template = load_template(ROOT / "infra" / "template.yaml", {})
    parameters, resources = template["Parameters"], template["Resources"].values()
    assert parameters["MemorySize"]["Default"] == cost.MEMORY_MB
    assert parameters["LogRetentionDays"]["Default"] == cost.LOG_DAYS
    alarms = [one["Properties"] for one in resources if one["Type"] == "AWS::CloudWatch::Alarm"]
    metrics = [sum("MetricStat" in one for one in alarm.get("Metrics", [])) or 1 for alarm in alarms]
    assert sum(metrics) == cost.ALARM_METRICS
    assert sum(one["Type"] == "AWS::CloudWatch::Dashboard" for one in resources) == cost.DASHBOARDS


def test_every_form_has_every_line() -> None:
    """And the table their sum."""
    lines = list(_lines(MONTH).values())
    total = sum(line.usd for line in lines)
    found = json.loads(_run("--incidents", "1000", "-o", "json").stdout)
    assert found["usd"] == pytest.approx(total)
    assert [line["what"] for line in found["lines"]] == [line.what for line in lines]
    rows = list(csv.DictReader(io.StringIO(_run("--incidents", "1000", "-o", "csv").stdout)))
    assert [float(row["usd"]) for row in rows] == [line.usd for line in lines]
    printed = _run("--incidents", "1000", "--agents", "7", "--size", "5KB")
    assert printed.stdout.splitlines()[-1].split() == ["total", f"{total:,.4f}"]
    assert "prices of us-east-1" in printed.stderr


def test_prices_may_be_others(tmp_path: Path) -> None:
    """Those that a file leaves out stay."""
    file = tmp_path / "prices.toml"
    file.write_text('region = "eu-west-1"\n[dynamodb]\nwrite_unit_million = 1.25\n')
    done = _run("--incidents", "1000", "--prices", str(file), "--region", "eu-west-1", "-o", "json")
    lines = {line["what"]: line["usd"] for line in json.loads(done.stdout)["lines"]}
    shipped = {what: line.usd for what, line in _lines(MONTH).items()}
    assert lines["writes to 3 indexes"] == pytest.approx(2 * shipped["writes to 3 indexes"])
    assert lines["reads"] == shipped["reads"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[dynamodb]\nwrite_units = 1\n", "dynamodb.write_units is not known: the prices are sqs.request_million"),
        ("[dynamo]\nwrite_unit_million = 1\n", "dynamo.write_unit_million is not known"),
        ("price = 1\n", "price is not known"),
        ('[sqs]\nrequest_million = "0.4"\n', "sqs.request_million must be a number of zero or more, and is '0.4'"),
        ("[sqs]\nrequest_million = -1\n", "must be a number of zero or more"),
        ("[sqs]\nrequest_million = true\n", "must be a number of zero or more"),
        ("region = 1\n", "region must be text"),
        ("[sqs\n", "it is no TOML"),
    ],
)
def test_prices_that_cannot_be_used_are_named(tmp_path: Path, text: str, sentence: str) -> None:
    """With what they may be."""
    file = tmp_path / "prices.toml"
    file.write_text(text)
    done = _run("--incidents", "1", "--prices", str(file))
    assert done.exit_code == 2
    assert sentence in " ".join(done.stderr.split())


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["--size", "1KB"], "sizes from 2KB to 300KB were measured"),
        (["--size", "1MB"], "sizes from 2KB to 300KB were measured"),
        (["--size", "five"], "must be a number of bytes, or such as 5KB"),
        (["--region", "eu-west-1"], "The prices are of us-east-1: give a file of those of eu-west-1 by --prices"),
        (["--prices", "/none/such.toml"], "cannot be read: No such file"),
    ],
)
def test_wrong_usage_is_explained(args: list[str], sentence: str) -> None:
    """With exit code 2."""
    done = _run("--incidents", "1", *args)
    assert done.exit_code == 2
    assert sentence in " ".join(done.stderr.split())
