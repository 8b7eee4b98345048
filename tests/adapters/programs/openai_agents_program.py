"""The real runner, models and client of the OpenAI Agents SDK, over a transport that answers instead of OpenAI."""

import asyncio
import importlib.metadata
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from agents import (
    Agent,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    RunConfig,
    Runner,
    set_trace_processors,
)
from openai import AsyncOpenAI
from pydantic import BaseModel

from recommendation_producer.adapters.openai_agents import tracing_processor
from recommendation_producer.recording import recording
from tests.adapters.programs.recorded import Cases
from tests.support.fakes.keeping_producer import KeepingProducer

ADVICE = {"action": "roll back", "confidence": 0.9, "reasoning": "deploy 41"}


class Advice(BaseModel):
    """What the agent must return."""

    action: str
    confidence: float
    reasoning: str


def said(text: str) -> dict[str, Any]:
    """Return an output item with text."""
    content = [{"type": "output_text", "text": text, "annotations": []}]
    return {"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": content}


def called(name: str) -> dict[str, Any]:
    """Return an output item that calls a function."""
    return {"type": "function_call", "id": "f", "call_id": "c", "name": name, "arguments": "{}", "status": "completed"}


def response(*output: dict[str, Any]) -> dict[str, Any]:
    """Return an answer of the Responses API."""
    details = {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
    return {
        "id": "r",
        "object": "response",
        "created_at": 0,
        "model": "a-model",
        "output": list(output),
        "parallel_tool_calls": False,
        "tool_choice": "auto",
        "tools": [],
        "usage": {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15, **details},
    }


def completion(text: str) -> dict[str, Any]:
    """Return an answer of the Chat Completions API."""
    return {
        "id": "c",
        "object": "chat.completion",
        "created": 0,
        "model": "a-model",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
    }


class Service(ThreadingHTTPServer):
    """Answers requests in order, for each API key its own, then with errors. The real HTTP client talks to it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.left: dict[str, list[dict[str, Any]]] = {}
        Thread(target=self.serve_forever, daemon=True).start()

    def client(self, *answers: dict[str, Any]) -> AsyncOpenAI:
        """Return a client that gets these answers, then errors."""
        key = f"key-{len(self.left)}"
        self.left[key] = list(answers)
        return AsyncOpenAI(api_key=key, base_url=f"http://127.0.0.1:{self.server_port}/v1", max_retries=0)


class Answer(BaseHTTPRequestHandler):
    """Answers one request."""

    server: Service

    def do_POST(self) -> None:
        """Send the next answer."""
        self.rfile.read(int(self.headers["Content-Length"]))
        left = self.server.left[self.headers["Authorization"].removeprefix("Bearer ")]
        self.send_response(200 if left else 400)
        body = json.dumps(left.pop(0) if left else {"error": {"message": "no"}}).encode()
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Print nothing."""


SERVICE = Service()


async def run(agent: Agent[None], config: RunConfig | None = None) -> str:
    """Return what an agent answers, or how it fails."""
    try:
        result = await Runner.run(agent, "What now?", run_config=config)
    except Exception as error:  # noqa: BLE001 - whatever the SDK raises is the outcome
        return type(error).__name__
    return str(result.final_output)


def responses(name: str, *answers: dict[str, Any], **options: Any) -> Agent[None]:
    """Return an agent that uses the Responses API."""
    return Agent(name=name, model=OpenAIResponsesModel("a-model", SERVICE.client(*answers)), **options)


async def main() -> None:
    """Run every case."""
    set_trace_processors([tracing_processor()])
    cases = Cases()
    second = responses("strategist", response(said("Roll back.")))
    chat = OpenAIChatCompletionsModel("a-model", SERVICE.client(completion("Roll back.")))
    agents = {
        "text": lambda: responses("Signal Intelligence", response(said("Roll back."))),
        "structured": lambda: responses("strategist", response(said(json.dumps(ADVICE))), output_type=Advice),
        "chat completions": lambda: Agent(name="strategist", model=chat),
        "handoff": lambda: responses("triage", response(called("transfer_to_strategist")), handoffs=[second]),
        "failure": lambda: responses("broken"),
    }
    for name, create in agents.items():
        producer = KeepingProducer()
        with recording(producer, incident_id="incident-1", execution_id="execution-1"):
            cases.add(name, producer, await run(create()))
    producer = KeepingProducer()
    with recording(producer, incident_id="incident-1", execution_id="execution-1"):
        secretive = responses("secretive", response(said("Roll back.")))
        cases.add("withheld", producer, await run(secretive, RunConfig(trace_include_sensitive_data=False)))
    producer = KeepingProducer()
    cases.add("without a recording", producer, await run(agents["text"]()))
    cases.print(version=importlib.metadata.version("openai-agents"))


asyncio.run(main())
