"""The failure table is true: the tests it names exist, and it names every cause that the consumer knows."""

import re
from pathlib import Path

import pytest

from recommendation_consumer import aws_error, invocation, plan
from recommendation_consumer import dead_letters as dead_letter
from recommendation_shared import metrics
from recommendation_shared.envelope import model as envelope

ROOT = Path(__file__).parents[4]
PAGE = (ROOT / "docs/failures.md").read_text()
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| what")]
CAUSES = {
    *aws_error.KINDS,
    aws_error.THROTTLED,
    aws_error.UNREACHABLE,
    aws_error.NOT_CONFIRMED,
    aws_error.DEADLINE_EXCEEDED,
    dead_letter.TOO_LARGE,
    invocation.DEAD_LETTER_FAILED,
    invocation.ITEM_REJECTED,
    plan.ID_CONFLICT,
    plan.NO_BODY,
    envelope.INVALID_JSON,
    envelope.INVALID_ENVELOPE,
    envelope.ID_MISMATCH,
    envelope.UNKNOWN_SCHEMA_VERSION,
}


def _quoted(text: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", text))


def test_every_row_names_tests_that_exist() -> None:
    """A test that was renamed takes its row's proof away."""
    sources = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    exist = set(re.findall(r"^(?:async )?def (test_\w+)\(", sources, re.MULTILINE))
    assert len(ROWS) > 25
    for row in ROWS:
        proofs = {name for name in _quoted(row) if name.startswith("test_")}
        assert proofs, row
        assert proofs <= exist, proofs - exist


@pytest.mark.parametrize("cause", sorted(CAUSES))
def test_every_cause_has_a_row(cause: str) -> None:
    """Codes of AWS, and the names that metrics and logs give."""
    assert any(cause in _quoted(row) for row in ROWS)


def test_every_metric_and_alarm_exists() -> None:
    """As the template and the consumer name them."""
    template = (ROOT / "infra/template.yaml").read_text()
    alarms = set(re.findall(r"AlarmName: !Sub (\w+)\$", template))
    known = alarms | {value for name, value in vars(metrics).items() if name.isupper()}
    named = {name for name in _quoted(PAGE) if re.fullmatch(r"\w*Recommendation\w+", name)}
    assert len(named) > 8
    assert named <= known
