"""Whatever a host lacks or breaks, importing and using the producer raises nothing; the reason is in the outcome."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from infra.paths import ROOT

NOTHING: Final[Mapping[str, str]] = {}
QUEUE_URL: Final = "https://sqs.us-east-1.amazonaws.com/123456789012/q"
# Breaks something, then does what an executor does.
PROGRAM: Final = """
import asyncio, json, logging, sys
exec(sys.argv[1])
from recommendation_producer import Balance, Outcome, RecommendationProducer
from recommendation_producer.langgraph import persisting
from recommendation_producer.recording import recording, records

producer = RecommendationProducer.from_env(drain=sys.argv[2])


@producer.lambda_handler
def handler(event, context):
    return producer.enqueue(
        incident_id="incident-1",
        execution_id="execution-1",
        agent_type="consensus",
        timestamp="2026-01-31T12:00:00Z",
        recommendation={"action": "roll back", "amounts": [1.5, None]},
    )


@records(agent_type="signal-intelligence")
def agent():
    return "an output"


class Graph:
    nodes = {}


outcome = handler({}, None)
producer.enqueue_state({})
assert isinstance(outcome, Outcome)
assert isinstance(persisting(Graph(), producer), Graph)
with recording(producer, incident_id="incident-1", execution_id="execution-1"):
    assert callable(agent)  # called, it would be recorded too
assert isinstance(producer.flush(20), Balance)
assert isinstance(asyncio.run(producer.aflush(20)), Balance)
balance = producer.close()
assert balance.accepted == balance.sent + sum(balance.dropped.values()) + balance.pending
print(json.dumps([outcome.accepted, outcome.reason, outcome.detail, dict(balance.dropped)]))
"""


def run(
    breakage: str, *, drain: str = "before_response", path: Path | None = None, environ: Mapping[str, str] = NOTHING
) -> tuple[Any, str]:
    """Run the program; return what it prints and its stderr. `path` precedes the standard library."""
    sources = [str(ROOT / "producer"), str(ROOT / "shared")]
    done = subprocess.run(
        [sys.executable, "-B", "-c", PROGRAM, breakage, drain],
        capture_output=True,
        text=True,
        check=False,
        env={
            "PATH": os.defpath,
            "PYTHONPATH": os.pathsep.join([*([str(path)] if path else []), *sources]),
            "RECOMMENDATIONS_QUEUE_URL": QUEUE_URL,
            "AWS_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ACCESS_KEY_ID": "",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            **environ,
        },
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1]), done.stderr


def test_host_that_breaks_nothing_has_the_real_producer() -> None:
    """So the other tests show something: here the envelope is accepted, and dropped for its missing credentials."""
    outcome, errors = run("")
    assert outcome == [True, None, None, {"send_failed": 1}]
    assert errors.count("\n") == 1
    assert "NoCredentialsError" in errors


@pytest.mark.parametrize("raised", ["SystemError", "SyntaxError", "AttributeError", "MemoryError", "SystemExit"])
def test_botocore_that_raises_while_it_loads_is_named_once(raised: str, tmp_path: Path) -> None:
    """Only the sender's thread loads it."""
    (tmp_path / "botocore").mkdir()
    (tmp_path / "botocore" / "__init__.py").write_text(f"raise {raised}('a broken package')\n")
    outcome, errors = run("", path=tmp_path)
    assert outcome == [True, None, None, {"client_unavailable": 1}]
    assert errors.count("\n") == 1
    assert f"botocore does not load: {raised}: a broken package" in errors


@pytest.mark.parametrize(
    "module",
    [
        *("atexit", "collections", "datetime", "decimal", "functools", "json", "logging", "queue", "random", "re"),
        *("signal", "typing", "weakref"),
    ],
)
def test_module_that_is_missing_makes_the_producer_refuse_with_the_reason(module: str) -> None:
    """One of the host's packages may hide it behind a module of the same name."""
    (accepted, reason, detail, dropped), errors = run(f"sys.modules[{module!r}] = None")
    assert (accepted, reason, dropped) == (False, "client_unavailable", {"client_unavailable": 2})
    assert f"import of {module} halted" in detail
    assert errors.count("\n") == (0 if module == "logging" else 1)
    assert module == "logging" or detail in errors


@pytest.mark.parametrize("raised", ["SystemError", "SyntaxError", "AttributeError", "KeyError", "MemoryError"])
def test_backport_that_breaks_the_standard_library_makes_the_producer_refuse(raised: str, tmp_path: Path) -> None:
    """The log names the exception once."""
    (tmp_path / "random.py").write_text(f"raise {raised}('for Python 3.4')\n")
    (_, reason, detail, _), errors = run("", path=tmp_path)
    assert reason == "client_unavailable"
    assert raised in detail
    assert detail in errors
    assert errors.count("\n") == 1


@pytest.mark.parametrize(
    "breakage",
    [
        "import os, random; del os.register_at_fork",
        "sys.modules['orjson'] = None",
        "sys.modules['orjson'] = type(sys)('orjson')",
        "sys.modules['numpy'] = sys.modules['pydantic'] = type(sys)('old')",
        "sys.modules['typing_extensions'] = None",
        "sys.stdout.reconfigure(errors='strict'); import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)",
    ],
)
def test_what_the_producer_can_do_without_costs_nothing(breakage: str) -> None:
    """The envelope is accepted as before."""
    outcome, _ = run(breakage)
    assert outcome == [True, None, None, {"send_failed": 1}]


@pytest.mark.parametrize("module", ["dataclasses", "inspect", "http.client"])
def test_handler_works_although_its_drain_cannot(module: str) -> None:
    """A module that only the decorator or the extension needs, and perhaps the host's botocore."""
    (accepted, *_), errors = run(
        f"sys.modules[{module!r}] = None", drain="after_response", environ={"AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9"}
    )
    assert accepted
    assert f"import of {module} halted" in errors


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AWS_LAMBDA_RUNTIME_API", "not an address"),
        ("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9"),
        ("AWS_LAMBDA_FUNCTION_NAME", "\udcff"),
        ("_X_AMZN_TRACE_ID", "\udcff"),
        ("RETENTION_DAYS", "90d"),
        ("RETENTION_DAYS", "\udcff"),
        ("RECOMMENDATIONS_METRICS_NAMESPACE", "\n"),
        ("RECOMMENDATIONS_TABLE", "arn:aws:dynamodb:us-east-1:123456789012:table/t"),
        ("RECOMMENDATIONS_DLQ_URL", "\udcff"),
        ("INCIDENT_METRICS", " true "),
    ],
)
def test_setting_that_is_wrong_and_not_needed_for_sending_costs_nothing(name: str, value: str) -> None:
    """Most belong to the consumer or to Lambda."""
    (accepted, *_), _ = run("", drain="after_response", environ={name: value})
    assert accepted


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RECOMMENDATIONS_QUEUE_URL", "\udcff"),
        ("RECOMMENDATIONS_QUEUE_URL", f"{QUEUE_URL}\n"),
        ("AWS_REGION", "us east"),
        ("AWS_ENDPOINT_URL", "localhost"),
    ],
)
def test_setting_that_is_wrong_and_needed_is_named_in_each_outcome_and_logged_once(name: str, value: str) -> None:
    """The host runs on."""
    (accepted, reason, detail, dropped), errors = run("", environ={name: value})
    assert (accepted, reason, dropped) == (False, "not_configured", {"not_configured": 1})
    assert detail in errors
    assert errors.count("not persisted") == 1
