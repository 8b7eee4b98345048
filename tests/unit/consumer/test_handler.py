"""The composition root: what it needs, and when."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from recommendation_consumer.handler import handler, sandbox
from recommendation_shared.settings import SettingsError
from tests.support.lambdas.event import Context


@pytest.fixture(autouse=True)
def _new_sandbox() -> Iterator[None]:
    sandbox.cache_clear()
    yield
    sandbox.cache_clear()


def test_a_missing_setting_fails_the_invocation_and_names_it() -> None:
    """All messages return to the queue, and the function's error alarm tells."""
    with pytest.raises(SettingsError, match="RECOMMENDATIONS_DLQ_URL"):
        handler({"Records": []}, Context())


def test_parts_are_made_once_for_a_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients and the loop they belong to outlive the invocation."""
    monkeypatch.setenv("RECOMMENDATIONS_DLQ_URL", "http://127.0.0.1/dlq")
    assert handler({"Records": []}, Context()) == {"batchItemFailures": []}
    runner = sandbox().runner
    loop = runner.get_loop()
    assert handler({"Records": []}, Context()) == {"batchItemFailures": []}
    assert sandbox().runner.get_loop() is loop
    assert not loop.is_closed()
    runner.close()


def test_importing_it_needs_no_environment_and_no_batch_processor() -> None:
    """A cold start pays for each import; Powertools' batch processor is per record, and is not used."""
    program = (
        "import os, sys\n"
        "os.environ.clear()\n"
        "import recommendation_consumer.handler\n"
        "assert 'aws_xray_sdk' not in sys.modules\n"
        "assert 'aws_lambda_powertools.utilities.batch' not in sys.modules\n"
    )
    result = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
