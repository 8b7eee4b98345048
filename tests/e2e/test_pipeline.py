"""The whole pipeline, as `make demo` runs it, on the stack that the tests share."""

import pytest

from examples.demo.__main__ import SHOWN, pipeline
from infra.local import LocalStack

pytestmark = pytest.mark.stack


def test_every_recommendation_of_the_demo_is_stored_once(
    stack: LocalStack, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Thirteen executions of seven recommendations; a second run of one doubles and changes nothing."""
    for name, value in stack.env.items():
        monkeypatch.setenv(name, value)
    problems, closing = pipeline(stack)
    assert problems == []
    assert closing == "91 enqueued, 91 stored, 0 lost"
    printed = capfd.readouterr().out
    assert "0 new IDs, 0 items more in the table, 0 items changed" in printed
    assert f"recs incident {SHOWN}" in printed
    assert "change-intelligence" in printed
