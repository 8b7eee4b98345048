"""docs/failures.md is up to date: the tests that it names exist, and it has every cause that the consumer knows."""

import re
from pathlib import Path

import pytest

from recommendation_consumer import dead_letters, failure, invocation, plan
from recommendation_shared import aws_errors, metrics
from recommendation_shared.envelope.errors import UNKNOWN_SCHEMA_VERSION
from recommendation_shared.queue.dead_letter import POISON

ROOT = Path(__file__).parents[4]
PAGE = (ROOT / "docs/failures.md").read_text()
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| what")]
CAUSES = {
    *aws_errors.throttling_codes(),
    *aws_errors.transient_codes(),
    *failure.INVALID,
    *POISON,
    aws_errors.NOT_CONFIRMED,
    aws_errors.DEADLINE_EXCEEDED,
    failure.THROTTLED,
    failure.UNREACHABLE,
    dead_letters.TOO_LARGE,
    invocation.DEAD_LETTER_FAILED,
    plan.NO_BODY,
    UNKNOWN_SCHEMA_VERSION,
}


def _quoted(text: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", text))


def test_every_row_names_tests_that_exist() -> None:
    """Otherwise a renamed test would leave its row without proof."""
    sources = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    tests = set(re.findall(r"^(?:async )?def (test_\w+)\(", sources, re.MULTILINE))
    assert len(ROWS) > 25
    for row in ROWS:
        proofs = {name for name in _quoted(row) if name.startswith("test_")}
        assert proofs, row
        assert proofs <= tests, proofs - tests


@pytest.mark.parametrize("cause", sorted(CAUSES))
def test_every_cause_has_a_row(cause: str) -> None:
    """AWS's error codes, and the names used in metrics and logs."""
    assert any(cause in _quoted(row) for row in ROWS)


def test_every_metric_and_alarm_exists() -> None:
    """The template and the shared package define their names."""
    template = (ROOT / "infra/template.yaml").read_text()
    alarms = set(re.findall(r"AlarmName: !Sub (\w+)\$", template))
    known = alarms | {value for name, value in vars(metrics).items() if name.isupper()}
    named = {name for name in _quoted(PAGE) if re.fullmatch(r"\w*Recommendation\w+", name)}
    assert len(named) > 8
    assert named <= known
