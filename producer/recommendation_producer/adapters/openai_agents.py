"""OpenAI Agents SDK: a tracing processor that records what each agent answered last.

    add_trace_processor(tracing_processor())

    with recording(producer, incident_id="incident-123", execution_id="execution-1"):
        result = await Runner.run(agent, evidence)

An agent's output is known only from its trace, so tracing must be on and may not leave sensitive data out
(`RunConfig.trace_include_sensitive_data`). An agent that only hands off to another has no output, and is not recorded.
"""

import json
from typing import Any, Final

from recommendation_producer._handing_over import hand_over, harmless, now, warn_once

__all__ = ["tracing_processor"]

_AGENT: Final = "agent"


def tracing_processor() -> Any:
    """Return a `TracingProcessor` for `add_trace_processor`, which keeps OpenAI's own exporter."""
    return _Processor()


class _Agent:
    """What is known of an agent while its span is open."""

    def __init__(self) -> None:
        self.answer: str | None = None
        self.has_handed_off = False
        self.model: str | None = None
        self.tokens = {"inputTokens": 0, "outputTokens": 0}


class _Processor:
    """Implements `TracingProcessor`, whose class is not imported: a host may have a package `agents` of its own."""

    def __init__(self) -> None:
        # By trace, then by span: the innermost agent that each open span belongs to.
        self._open: dict[str, dict[str, _Agent]] = {}

    def on_trace_start(self, trace: Any) -> None:
        """Do nothing: a trace is known from its first span on."""

    def on_trace_end(self, trace: Any) -> None:
        """Forget spans that never ended."""
        self._open.pop(trace.trace_id, None)

    @harmless
    def on_span_start(self, span: Any) -> None:
        """Note which agent a span belongs to."""
        is_agent = span.span_data.type == _AGENT
        agent = _Agent() if is_agent else self._open.get(span.trace_id, {}).get(span.parent_id)
        if agent is not None:
            self._open.setdefault(span.trace_id, {})[span.span_id] = agent

    @harmless
    def on_span_end(self, span: Any) -> None:
        """Note a model's answer; record an agent that ends."""
        spans = self._open.get(span.trace_id, {})
        agent = spans.pop(span.span_id, None)
        if agent is None:
            return
        if not spans:  # the trace may have ended before
            self._open.pop(span.trace_id, None)
        data = span.span_data
        if data.type == _AGENT:
            _record(span, agent)
        elif data.type == "handoff":
            agent.has_handed_off = True
        elif data.type == "response" and data.response is not None:
            _note(agent, data.response.output_text, data.response.model, data.response.usage)
        elif data.type == "generation":
            message = (data.output or [{}])[-1]
            _note(agent, message.get("content"), data.model, data.usage)

    def shutdown(self) -> None:
        """Forget everything. The producer is the host's to close."""
        self._open.clear()

    def force_flush(self) -> None:
        """Do nothing: outputs are enqueued at once, and the producer sends them."""


def _note(agent: _Agent, text: Any, model: Any, usage: Any) -> None:
    agent.answer = text if isinstance(text, str) and text else None
    agent.model = model
    for name, key in (("inputTokens", "input_tokens"), ("outputTokens", "output_tokens")):
        count = usage.get(key) if isinstance(usage, dict) else getattr(usage, key, None)
        agent.tokens[name] += count or 0


def _record(span: Any, agent: _Agent) -> None:
    data, error = span.span_data, span.error
    if agent.answer is None and error is None:
        if not agent.has_handed_off:
            warn_once(data.name, "its trace holds no output; is trace_include_sensitive_data off?")
        return
    metadata = {
        "traceId": span.trace_id,
        "startedAt": span.started_at,
        "cost": {"model": agent.model, **agent.tokens} if agent.model else None,
    }
    output = {} if agent.answer is None else _parsed(agent.answer, data.output_type)
    hand_over(data.name, output, timestamp=span.ended_at or now(), metadata=metadata, error=error)


def _parsed(answer: str, output_type: str | None) -> object:
    """Return a structured output's fields, and text as it is."""
    if output_type in {None, "str"}:
        return answer
    try:
        return json.loads(answer)
    except ValueError:
        return answer
