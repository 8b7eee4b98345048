"""The composition root: what it requires, and when it builds its parts."""

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Final

import pytest

from recommendation_consumer.handler import handler, sandbox
from recommendation_shared.settings import SettingsError
from tests.support.lambdas.event import Context

LAMBDA: Final = {
    "AWS_LAMBDA_FUNCTION_NAME": "consumer",
    "AWS_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "RECOMMENDATIONS_DLQ_URL": "http://127.0.0.1/1/dlq",
}


@pytest.fixture(autouse=True)
def _new_sandbox() -> Iterator[None]:
    sandbox.cache_clear()
    yield
    sandbox.cache_clear()


def test_missing_setting_fails_the_invocation_and_is_named() -> None:
    """All messages return to the queue, and the alarm on the function's errors goes off."""
    with pytest.raises(SettingsError, match="RECOMMENDATIONS_DLQ_URL"):
        handler({"Records": []}, Context())


def test_parts_are_built_once_per_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clients and their event loop outlive the invocation."""
    monkeypatch.setenv("RECOMMENDATIONS_DLQ_URL", "http://127.0.0.1/dlq")
    assert handler({"Records": []}, Context()) == {"batchItemFailures": []}
    runner = sandbox().runner
    loop = runner.get_loop()
    assert handler({"Records": []}, Context()) == {"batchItemFailures": []}
    assert sandbox().runner.get_loop() is loop
    assert not loop.is_closed()
    runner.close()


def _import_handler(program: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Import the handler in a new process with only this environment, then run a program."""
    lines = ["import gc, os, sys", "import recommendation_consumer.handler as handler", program, "os._exit(0)"]
    return subprocess.run(
        [sys.executable, "-c", "\n".join(lines)],
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_initialisation_opens_the_client_and_freezes_the_garbage_collector() -> None:
    """The first event finds the client ready, and a collection never traverses what was imported."""
    result = _import_handler(
        "assert handler.sandbox.cache_info().currsize == 1\n"
        "assert handler.sandbox().clients._dynamodb is not None\n"
        "assert gc.get_freeze_count() > 50_000\n",
        **LAMBDA,
    )
    assert result.returncode == 0, result.stderr


def test_initialisation_does_not_import_unused_modules() -> None:
    """A cold start pays for each import: pydantic alone would take a quarter of it."""
    unused = {"pydantic", "pydantic_core", "aws_xray_sdk", "aws_lambda_powertools.utilities.batch"}
    result = _import_handler(f"assert not {unused} & sys.modules.keys(), {unused} & sys.modules.keys()", **LAMBDA)
    assert result.returncode == 0, result.stderr


def test_import_outside_lambda_builds_nothing() -> None:
    """Reading or testing the handler requires no settings."""
    result = _import_handler("assert handler.sandbox.cache_info().currsize == 0")
    assert result.returncode == 0, result.stderr


def test_missing_setting_fails_the_initialisation() -> None:
    """So an incomplete deployment fails at once, not at its first event."""
    result = _import_handler("", **{**LAMBDA, "RECOMMENDATIONS_DLQ_URL": ""})
    assert result.returncode == 1
    assert "RECOMMENDATIONS_DLQ_URL is not set: set it to" in result.stderr
