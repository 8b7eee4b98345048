"""The redaction example, used with a producer."""

import pytest

from examples import redaction
from recommendation_shared.envelope import Envelope
from tests.support.fakes.queue import NOTHING_HANGS, FakeQueue, recommendation, running_producer

KEY = "AKIAIOSFODNN7EXAMPLE"  # AWS's own example
MAIL = "jane.doe+ops@example.co.uk"


def test_example_masks_mail_addresses_and_keys_wherever_they_occur() -> None:
    """It masks them in texts, lists, nested objects and field names; everything else is sent unchanged."""
    queue = FakeQueue()
    with running_producer(queue, redact=redaction.redact) as producer:
        outcome = producer.enqueue(
            **recommendation(
                recommendation={"action": f"ask {MAIL}, then {MAIL}", MAIL: {"deep": [1, None, True, [KEY]]}},
                reasoning=f"key={KEY};",
                citations=[{"source": f"mailto:{MAIL}"}],
                metadata={"cost": 1.5, "env": {"AWS_ACCESS_KEY_ID": KEY}},
                confidence=0.5,
            )
        )
        producer.flush(NOTHING_HANGS)
    assert outcome.accepted
    assert MAIL not in queue.arrived[0]
    assert KEY not in queue.arrived[0]
    envelope = Envelope.from_json(queue.arrived[0])
    assert envelope.recommendation == {
        "action": "ask <mail>, then <mail>",
        "<mail>": {"deep": [1, None, True, ["<access key>"]]},
    }
    assert envelope.reasoning == "key=<access key>;"
    assert envelope.citations == [{"source": "mailto:<mail>"}]
    assert envelope.metadata == {"cost": 1.5, "env": {"AWS_ACCESS_KEY_ID": "<access key>"}}
    assert (envelope.incident_id, envelope.confidence) == ("incident-1", 0.5)


def test_example_runs_and_prints_no_secret(capsys: pytest.CaptureFixture[str]) -> None:
    """It needs neither an account nor a network."""
    redaction.main()
    printed = capsys.readouterr().out
    assert "Balance(accepted=1, sent=1, dropped={}, pending=0)" in printed
    assert printed.count("<mail>") == 3
    assert printed.count("<access key>") == 1
    assert "example.com" not in printed
