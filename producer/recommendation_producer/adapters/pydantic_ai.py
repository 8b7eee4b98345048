"""Pydantic AI: a capability that records what an agent's runs return.

    agent = Agent(model, name="signal-intelligence", capabilities=[capability()])

    with recording(producer, incident_id="incident-123", execution_id="execution-1"):
        result = agent.run_sync(evidence)

An agent without a name is called after the variable that holds it, by Pydantic AI itself.
"""

import time
from collections.abc import Awaitable, Callable
from typing import Any

from recommendation_producer._handing_over import hand_over, harmless, now

__all__ = ["capability"]


def capability() -> Any:
    """Return a `Hooks` capability. Runs keep their results and exceptions; a failed run is recorded as a failure."""
    from pydantic_ai.capabilities import Hooks  # noqa: PLC0415 - the host's, if it has it

    return Hooks(run=_recorded)


async def _recorded(context: Any, /, *, handler: Callable[[], Awaitable[Any]]) -> Any:
    started = time.monotonic()
    try:
        result = await handler()
    except BaseException as error:
        _hand_over(context, None, started, error)
        raise
    _hand_over(context, result, started)
    return result


@harmless
def _hand_over(context: Any, result: Any, started: float, error: BaseException | None = None) -> None:
    usage = getattr(context, "usage", None)
    cost = {
        "model": getattr(getattr(context, "model", None), "model_name", None),
        "inputTokens": getattr(usage, "input_tokens", None),
        "outputTokens": getattr(usage, "output_tokens", None),
    }
    metadata = {
        "durationMs": round((time.monotonic() - started) * 1000),
        "runId": getattr(context, "run_id", None),
        "cost": {name: value for name, value in cost.items() if value is not None},
    }
    agent = getattr(getattr(context, "agent", None), "name", None)
    output = {} if result is None else result.output
    hand_over(agent or "agent", output, timestamp=now(), metadata=metadata, error=error)
