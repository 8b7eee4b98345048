"""What happens while Lambda initialises a sandbox, before the first event."""

import os
import subprocess
import sys

ENVIRONMENT = {
    "AWS_LAMBDA_FUNCTION_NAME": "consumer",
    "AWS_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "RECOMMENDATIONS_DLQ_URL": "http://127.0.0.1/1/dlq",
}


def _import_handler(program: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(  # noqa: S603 - ourselves
        [
            sys.executable,
            "-c",
            f"import gc, os, sys\nimport recommendation_consumer.handler as handler\n{program}\nos._exit(0)",
        ],
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_client_is_made_before_the_first_event() -> None:
    """And what is there by then is never looked through again by the garbage collector."""
    done = _import_handler(
        "assert handler.sandbox.cache_info().currsize == 1\n"
        "assert handler.sandbox().clients._dynamodb is not None\n"
        "assert gc.get_freeze_count() > 50_000\n",
        **ENVIRONMENT,
    )
    assert done.returncode == 0, done.stderr


def test_pydantic_is_not_loaded() -> None:
    """It would be a quarter of the start."""
    done = _import_handler("assert not {'pydantic', 'pydantic_core'} & sys.modules.keys()", **ENVIRONMENT)
    assert done.returncode == 0, done.stderr


def test_elsewhere_nothing_is_made() -> None:
    """Who imports the handler to read or test it needs no settings."""
    done = _import_handler("assert handler.sandbox.cache_info().currsize == 0")
    assert done.returncode == 0, done.stderr


def test_a_wrong_setting_shows_in_the_initialisation() -> None:
    """A deployment that lacks one fails at once, not at its first event."""
    done = _import_handler("", **{**ENVIRONMENT, "RECOMMENDATIONS_DLQ_URL": ""})
    assert done.returncode == 1
    assert "RECOMMENDATIONS_DLQ_URL is not set: set it to" in done.stderr
