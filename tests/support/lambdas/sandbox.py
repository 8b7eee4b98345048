"""A sandbox with the consumer's real handler, which calls one endpoint and is closed afterwards."""

import contextlib
from collections.abc import Iterator

import pytest

from recommendation_consumer.handler import Sandbox, sandbox


@contextlib.contextmanager
def lambda_sandbox(endpoint: str, dlq_url: str, table: str = "recommendations") -> Iterator[Sandbox]:
    """Make the handler's next invocation a cold start in this environment."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", endpoint)
        patch.setenv("RECOMMENDATIONS_TABLE", table)
        patch.setenv("RECOMMENDATIONS_DLQ_URL", dlq_url)
        sandbox.cache_clear()
        started = sandbox()
        # As in a sandbox that has met the agent types of `event.bodies` before.
        started.dependencies.registered_types.update(f"agent-{number}" for number in range(1_001))
        try:
            yield started
        finally:
            started.runner.run(started.clients.close())
            started.runner.close()
            sandbox.cache_clear()
