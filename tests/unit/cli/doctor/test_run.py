import json

from jsonschema import Draft202012Validator

from infra.paths import ROOT
from tests.support.fakes.deployment_answers import healthy_answers
from tests.unit.cli.doctor.conftest import RunDoctor


def test_the_last_line_counts_the_results(run_doctor: RunDoctor) -> None:
    """A healthy deployment fails no check."""
    result = run_doctor(healthy_answers())
    assert result.stdout.endswith("\n55 passed, 0 failed, 0 skipped\n")
    assert "FAILED" not in result.stdout


def test_a_remedy_is_printed_below_its_finding(run_doctor: RunDoctor) -> None:
    """The finding says what was expected and what was found."""
    lines = run_doctor(healthy_answers(mapping={"State": "Disabled"})).stdout.splitlines()
    position = lines.index("FAILED  mapping: expected: is enabled · found: Disabled")
    assert lines[position + 1] == "        Enable it: aws lambda update-event-source-mapping --enabled --uuid abc"
    assert lines[-1] == "54 passed, 1 failed, 0 skipped"


def test_queues_must_be_named(run_doctor: RunDoctor) -> None:
    """Without a queue URL it is a usage error, and AWS is not called."""
    result = run_doctor([], environ={})
    assert result.exit_code == 2
    assert "RECOMMENDATIONS_QUEUE_URL" in result.stderr
    assert "Examples:\n    recs doctor" in run_doctor([], "-h").stdout


def test_json_is_as_the_schema_describes(run_doctor: RunDoctor) -> None:
    """Every finding has every field, and those that passed too."""
    schema = json.loads((ROOT / "docs" / "recs.schema.json").read_text())
    findings = json.loads(run_doctor(healthy_answers(mapping={"State": "Disabled"}), "-o", "json").stdout)
    Draft202012Validator({**schema, "$ref": "#/$defs/doctor"}).validate(findings)
    assert len(findings) == 55
