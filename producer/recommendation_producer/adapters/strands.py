"""Strands Agents: hooks that record what an agent's invocations return.

    agent = Agent(name="signal-intelligence", hooks=[StrandsHooks()])

    with recording(producer, incident_id="incident-123", execution_id="execution-1"):
        result = agent(evidence)

Agents of a graph or swarm are recorded one by one. `Agent.structured_output` gives its hooks no result; pass
`structured_output_model` to the call instead.
"""

import sys
import time
from typing import Any
from weakref import WeakKeyDictionary

from recommendation_producer._handing_over import hand_over, harmless, now, warn_once

__all__ = ["StrandsHooks"]


class StrandsHooks:
    """A `HookProvider`, which one or more agents may share. An invocation that raises is recorded as a failure."""

    def __init__(self) -> None:
        self._started: WeakKeyDictionary[Any, float] = WeakKeyDictionary()

    def register_hooks(self, registry: Any, **_options: Any) -> None:
        """Register for the beginning and the end of each invocation."""
        from strands.hooks import AfterInvocationEvent, BeforeInvocationEvent  # noqa: PLC0415 - the host's

        registry.add_callback(BeforeInvocationEvent, self._begin)
        registry.add_callback(AfterInvocationEvent, self._end)

    @harmless
    def _begin(self, event: Any) -> None:
        self._started[event.agent] = time.monotonic()

    @harmless
    def _end(self, event: Any) -> None:
        result = event.result
        # Strands ends an invocation in a `finally` clause, so an exception that ends it is still being handled.
        error = sys.exception() if result is None else None
        if result is None and error is None:
            warn_once(event.agent.name, "Strands passes no result to hooks; use structured_output_model")
            return
        started = self._started.pop(event.agent, None)
        metadata = {
            "durationMs": None if started is None else round((time.monotonic() - started) * 1000),
            "stopReason": getattr(result, "stop_reason", None),
            "cost": _cost(event.agent, result),
        }
        hand_over(event.agent.name, _output(result), timestamp=now(), metadata=metadata, error=error)


def _output(result: Any) -> object:
    if result is None:
        return {}
    structured = getattr(result, "structured_output", None)
    return str(result).strip() if structured is None else structured


def _cost(agent: Any, result: Any) -> dict[str, Any]:
    """Return the model and the tokens of this invocation; Strands' own totals are those of the agent's life."""
    invocation = getattr(getattr(result, "metrics", None), "latest_agent_invocation", None)
    config: dict[str, Any] = agent.model.get_config()
    usage = getattr(invocation, "usage", None) or {}
    cost = {"model": config.get("model_id"), **{name: usage.get(name) for name in ("inputTokens", "outputTokens")}}
    return {name: value for name, value in cost.items() if value is not None}
