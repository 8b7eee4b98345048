import csv
import io
import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from recommendation_cli.app import recs
from recommendation_cli.cost.bill import bill
from recommendation_cli.cost.prices import Prices
from recommendation_cli.cost.profile import Profile
from recommendation_cli.cost.workload import Workload
from tests.support.fakes.recommendation_table import FakeDynamoDb, runtime


def _run(*args: str, environ: dict[str, str] | None = None) -> Result:
    return CliRunner(env=environ).invoke(recs, ["cost", *args], obj=runtime(FakeDynamoDb(), environ))


def _shipped_bill() -> dict[str, float]:
    return {line.what: line.usd for line in bill(Workload(1_000), Profile.shipped(), Prices.shipped())}


def test_every_format_has_every_line() -> None:
    """The table also has the total, as the JSON has."""
    expected = _shipped_bill()
    total = sum(expected.values())
    document = json.loads(_run("--incidents", "1000", "-o", "json").stdout)
    assert document["usd"] == pytest.approx(total)
    assert {line["what"]: line["usd"] for line in document["lines"]} == expected
    records = [json.loads(line) for line in _run("--incidents", "1000", "-o", "jsonl").stdout.splitlines()]
    assert records == document["lines"]
    rows = list(csv.DictReader(io.StringIO(_run("--incidents", "1000", "-o", "csv").stdout)))
    assert {row["what"]: float(row["usd"]) for row in rows} == expected
    printed = _run("--incidents", "1000", "--agents", "7", "--size", "5KB")
    beyond = sum(line["usd_beyond_free_tier"] for line in document["lines"])
    assert document["usd_beyond_free_tier"] == pytest.approx(beyond)
    assert printed.stdout.splitlines()[-1].split() == ["total", f"{total:,.4f}", f"{beyond:,.4f}"]
    assert "prices for us-east-1" in printed.stderr


def test_a_single_unit_is_singular_in_the_table() -> None:
    """Other formats always name a unit alike."""
    args = ("--incidents", "1", "--agents", "1", "--days-kept", "1")
    printed = _run(*args)
    assert re.search(r"dashboard +1  dashboard +3\.0000 +0\.0000$", printed.stdout, re.MULTILINE)
    assert "storage of items, 1 day " in printed.stdout
    assert printed.stderr.startswith("\n1 incident of 1 recommendation of 5,120 bytes;")
    units = {line["what"]: line["unit"] for line in json.loads(_run(*args, "-o", "json").stdout)["lines"]}
    assert (units["dashboard"], units["send"]) == ("dashboards", "requests")


def test_every_amount_is_shown_on_a_narrow_terminal() -> None:
    """The second one takes a line where both do not fit; elsewhere, what they are for is cut."""
    for columns in (40, 80):
        printed = _run("--incidents", "1000", environ={"COLUMNS": str(columns)}).stdout
        assert max(map(len, printed.splitlines())) <= columns
        assert all(f"{usd:,.4f}" in printed for usd in _shipped_bill().values())
    assert re.search(r"total +8\.\d{4} +0\.\d{4}$", printed, re.MULTILINE)


def test_a_price_file_changes_only_the_prices_it_names(tmp_path: Path) -> None:
    """Every other price stays as shipped."""
    file = tmp_path / "prices.toml"
    file.write_text('region = "eu-west-1"\n[dynamodb]\nwrite_unit_million = 1.25\n')
    done = _run("--incidents", "1000", "--prices", str(file), "--region", "eu-west-1", "-o", "json")
    lines = {line["what"]: line["usd"] for line in json.loads(done.stdout)["lines"]}
    assert lines["writes to 3 indexes"] == pytest.approx(2 * _shipped_bill()["writes to 3 indexes"])
    assert lines["reads"] == _shipped_bill()["reads"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[dynamodb]\nwrite_units = 1\n", "dynamodb.write_units is not a known price: those are sqs.request_million"),
        ("[dynamo]\nwrite_unit_million = 1\n", "dynamo.write_unit_million is not a known price"),
        ("price = 1\n", "price is not a known price"),
        ('[sqs]\nrequest_million = "0.4"\n', "sqs.request_million must be a number of zero or more, not '0.4'"),
        ("[sqs]\nrequest_million = -1\n", "must be a number of zero or more"),
        ("[sqs]\nrequest_million = true\n", "must be a number of zero or more"),
        ("region = 1\n", "region must be text"),
        ("[sqs\n", "it is not valid TOML"),
    ],
)
def test_an_unusable_price_file_is_a_usage_error(tmp_path: Path, text: str, sentence: str) -> None:
    """The message names the key and what is allowed."""
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
        (["--size", "five"], "must be a number of bytes, or a size such as 5KB"),
        (["--region", "eu-west-1"], "The prices are for us-east-1: pass a file with those for eu-west-1 as --prices"),
        (["--prices", "/none/such.toml"], "cannot be read: No such file"),
    ],
)
def test_usage_errors_are_explained(args: list[str], sentence: str) -> None:
    """They exit with 2."""
    done = _run("--incidents", "1", *args)
    assert done.exit_code == 2
    assert sentence in " ".join(done.stderr.split())
