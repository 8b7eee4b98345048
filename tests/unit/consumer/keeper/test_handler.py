"""The keeper's composition root: what it requires, and when it builds its parts."""

from collections.abc import Iterator

import pytest

from recommendation_consumer.keeper.handler import handler, sandbox
from recommendation_shared.settings import SettingsError
from tests.support.lambdas.event import Context
from tests.support.lambdas.stream_event import expired, stored, stream_event


@pytest.fixture(autouse=True)
def _new_sandbox() -> Iterator[None]:
    sandbox.cache_clear()
    yield
    sandbox.cache_clear()


def test_missing_setting_fails_the_invocation_and_is_named() -> None:
    """The changes stay in the stream, and the alarm on the function's errors goes off."""
    with pytest.raises(SettingsError, match="RECOMMENDATIONS_DLQ_URL"):
        handler(stream_event(), Context())


def test_parts_are_built_once_per_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    """The event loop outlives the invocation. Without an archive, what TTL removed is left alone."""
    monkeypatch.setenv("RECOMMENDATIONS_DLQ_URL", "http://127.0.0.1/dlq")
    assert handler(stream_event(expired(stored())), Context()) == {"batchItemFailures": []}
    runner, dependencies = sandbox()
    assert dependencies.put_file is None
    assert handler(stream_event(), Context()) == {"batchItemFailures": []}
    assert sandbox().runner is runner
    runner.close()


def test_archive_is_configured_by_the_arn_of_its_bucket(monkeypatch: pytest.MonkeyPatch) -> None:
    """The template passes the ARN, and an empty one means that there is no archive."""
    monkeypatch.setenv("RECOMMENDATIONS_DLQ_URL", "http://127.0.0.1/dlq")
    monkeypatch.setenv("RECOMMENDATIONS_ARCHIVE_BUCKET", "arn:aws:s3:::opx-archive")
    assert sandbox().dependencies.settings.archive_bucket == "opx-archive"
    assert sandbox().dependencies.put_file is not None
    sandbox().runner.close()
