"""The real agent loop of Strands Agents over a model that answers what it is told to."""

import asyncio
import importlib.metadata
from collections.abc import AsyncIterator
from typing import Any

from pydantic import BaseModel
from strands import Agent
from strands.models import Model

from recommendation_producer.adapters.strands import StrandsHooks
from recommendation_producer.recording import recording
from tests.adapters.programs.recorded import Cases
from tests.support.fakes.keeping_producer import KeepingProducer


class Advice(BaseModel):
    """What the agent must return."""

    action: str
    confidence: float


class ScriptedModel(Model):
    """Answers with text, with a call of the first tool that it is given, or with an error."""

    def __init__(self, text: str | None) -> None:
        self._text = text

    def update_config(self, **_config: Any) -> None:
        """Ignore it."""

    def get_config(self) -> dict[str, Any]:
        """Return the model's name."""
        return {"model_id": "a-model"}

    def structured_output(self, *_arguments: Any, **_options: Any) -> Any:
        """Answer the older call."""

        async def events() -> AsyncIterator[dict[str, Any]]:
            yield {"output": Advice(action="roll back", confidence=0.9)}

        return events()

    async def stream(self, _messages: Any, tool_specs: Any = None, *_: Any, **_options: Any) -> Any:
        """Answer."""
        if self._text is None:
            raise RuntimeError("model overloaded")
        yield {"messageStart": {"role": "assistant"}}
        if tool_specs:
            yield {"contentBlockStart": {"start": {"toolUse": {"name": tool_specs[0]["name"], "toolUseId": "t"}}}}
            yield {"contentBlockDelta": {"delta": {"toolUse": {"input": '{"action": "roll back", "confidence": 0.9}'}}}}
        else:
            yield {"contentBlockStart": {"start": {}}}
            yield {"contentBlockDelta": {"delta": {"text": self._text}}}
        yield {"contentBlockStop": {}}
        yield {"messageStop": {"stopReason": "tool_use" if tool_specs else "end_turn"}}
        yield {
            "metadata": {
                "usage": {"inputTokens": 10, "outputTokens": 5, "totalTokens": 15},
                "metrics": {"latencyMs": 1},
            }
        }


def agent(name: str, text: str | None, hooks: StrandsHooks) -> Agent:
    """Return an agent without tools that prints nothing."""
    return Agent(name=name, model=ScriptedModel(text), hooks=[hooks], callback_handler=None, tools=[])


async def streamed(signals: Agent) -> str:
    """Return what an agent streams."""
    events = [event async for event in signals.stream_async("What now?")]
    return str(events[-1]["result"])


def main() -> None:
    """Run every case."""
    cases, hooks = Cases(), StrandsHooks()
    signals = agent("Signal Intelligence", "Roll back.", hooks)
    producer = KeepingProducer()
    with recording(producer, incident_id="incident-1", execution_id="execution-1"):
        cases.add("text", producer, [str(signals("What now?")), str(signals("And now?"))])
    producer = KeepingProducer()
    with recording(producer, incident_id="incident-1", execution_id="execution-1"):
        result = agent("strategist", "", hooks)("What now?", structured_output_model=Advice)
        cases.add("structured", producer, str(result.structured_output))
    producer = KeepingProducer()
    with recording(producer, incident_id="incident-1", execution_id="execution-1"):
        try:
            agent("broken", None, hooks)("What now?")
        except RuntimeError as error:
            cases.add("failure", producer, str(error))
    producer = KeepingProducer()
    with recording(producer, incident_id="incident-1", execution_id="execution-1"):
        older = agent("older", "", hooks).structured_output(Advice, "What now?")
        cases.add("structured_output", producer, str(older))
    producer = KeepingProducer()
    with recording(producer, incident_id="incident-1", execution_id="execution-1"):
        cases.add("streamed", producer, asyncio.run(streamed(signals)))
    producer = KeepingProducer()
    cases.add("without a recording", producer, str(signals("What now?")))
    cases.print(version=importlib.metadata.version("strands-agents"))


main()
