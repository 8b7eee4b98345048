"""Pydantic AI's own test models under the capability."""

import asyncio
import importlib.metadata

from pydantic import BaseModel
from pydantic_ai import Agent
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.models.test import TestModel

from recommendation_producer.adapters.pydantic_ai import capability
from recommendation_producer.recording import recording
from tests.adapters.programs.recorded import Cases
from tests.support.fakes.keeping_producer import KeepingProducer


class Advice(BaseModel):
    """What the agent must return."""

    action: str
    confidence: float
    reasoning: str


def fails(_messages: list[object], _info: AgentInfo) -> None:
    """Fail as a model's service does."""
    raise RuntimeError("model overloaded")


async def streamed(agent: Agent[None, str]) -> str:
    """Return what an agent streams."""
    async with agent.run_stream("What now?") as result:
        return str(await result.get_output())


def main() -> None:
    """Run every case."""
    cases = Cases()
    text = Agent(TestModel(custom_output_text="Roll back."), name="Signal Intelligence", capabilities=[capability()])
    advice = {"action": "roll back", "confidence": 0.9, "reasoning": "deploy 41"}
    structured = Agent(
        TestModel(custom_output_args=advice), output_type=Advice, name="strategist", capabilities=[capability()]
    )
    broken = Agent(FunctionModel(fails), name="broken", capabilities=[capability()])

    for name, agent in (("text", text), ("structured", structured)):
        producer = KeepingProducer()
        with recording(producer, incident_id="incident-1", execution_id="execution-1"):
            cases.add(name, producer, str(agent.run_sync("What now?").output))
    producer = KeepingProducer()
    with recording(producer, incident_id="incident-1", execution_id="execution-1"):
        try:
            broken.run_sync("What now?")
        except RuntimeError as error:
            cases.add("failure", producer, str(error))
    producer = KeepingProducer()
    with recording(producer, incident_id="incident-1", execution_id="execution-1"):
        cases.add("streamed", producer, asyncio.run(streamed(text)))
    producer = KeepingProducer()
    cases.add("without a recording", producer, text.run_sync("What now?").output)
    cases.print(version=importlib.metadata.version("pydantic-ai-slim"))


main()
