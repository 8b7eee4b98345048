"""The ways to hand over seven outputs. Each is created once, as at a handler's module scope."""

import asyncio
import json
import os
import uuid
from typing import Any

Output = dict[str, Any]  # the arguments of `enqueue`
QUEUE_URL = "https://sqs.us-east-1.amazonaws.com/123456789012/opx-recommendations"
BUDGET = 2.0  # seconds for a drain


def entries(outputs: list[Output]) -> list[dict[str, str]]:
    """Return the outputs as entries of SendMessageBatch."""
    return [{"Id": str(index), "MessageBody": json.dumps(output)} for index, output in enumerate(outputs)]


class Producer:
    """The layer: `hand_over` enqueues, and `drain` flushes as the Lambda handler's decorator does."""

    def __init__(self, stub: str) -> None:
        from recommendation_producer import RecommendationProducer

        self._producer = RecommendationProducer(QUEUE_URL, region_name="us-east-1", endpoint_url=stub)

    def hand_over(self, outputs: list[Output]) -> None:
        for output in outputs:
            self._producer.enqueue(**output)

    def drain(self) -> None:
        self._producer.flush(BUDGET)

    def sent(self) -> int:
        return self._producer.balance.sent


class Boto3:
    """What people would write: one call in the handler, by a client that the first invocation creates."""

    def __init__(self, stub: str) -> None:
        self._stub = stub
        self._client: Any = None
        self._sent = 0

    def hand_over(self, outputs: list[Output]) -> None:
        import boto3

        if self._client is None:
            self._client = boto3.client("sqs", region_name="us-east-1", endpoint_url=self._stub)
        response = self._client.send_message_batch(QueueUrl=QUEUE_URL, Entries=entries(outputs))
        self._sent += len(response["Successful"])

    def drain(self) -> None:
        """Nothing is left to do."""

    def sent(self) -> int:
        return self._sent


class Aioboto3:
    """The same by aioboto3, on an event loop that is kept between invocations, as its client is."""

    def __init__(self, stub: str) -> None:
        import aioboto3

        self._stub = stub
        self._session = aioboto3.Session()
        self._loop = asyncio.new_event_loop()
        self._client: Any = None
        self._sent = 0

    def hand_over(self, outputs: list[Output]) -> None:
        self._loop.run_until_complete(self._send(outputs))

    async def _send(self, outputs: list[Output]) -> None:
        if self._client is None:
            created = self._session.client("sqs", region_name="us-east-1", endpoint_url=self._stub)
            self._client = await created.__aenter__()
        response = await self._client.send_message_batch(QueueUrl=QUEUE_URL, Entries=entries(outputs))
        self._sent += len(response["Successful"])

    def drain(self) -> None:
        """Nothing is left to do."""

    def sent(self) -> int:
        return self._sent


class Langfuse:
    """Langfuse's client: an observation for each output, exported by its background thread."""

    def __init__(self, stub: str) -> None:
        from langfuse import Langfuse as Client

        self._client = Client(public_key="pk", secret_key="sk", base_url=stub)  # noqa: S106 - the stub asks for none

    def hand_over(self, outputs: list[Output]) -> None:
        for output in outputs:
            observation = self._client.start_observation(name=output["agent_type"], output=output)
            observation.end()

    def drain(self) -> None:
        self._client.flush()

    def sent(self) -> int:
        return 0  # the client does not say


# What LangSmith's server says about itself; the stub cannot.
_SERVER = {
    "version": "0.12.0",
    "instance_flags": {"zstd_compression_enabled": True},
    "batch_ingest_config": {
        "use_multipart_endpoint": True,
        "scale_up_qsize_trigger": 1000,
        "scale_up_nthreads_limit": 16,
        "scale_down_nempty_trigger": 4,
        "size_limit": 100,
        "size_limit_bytes": 20_971_520,
    },
}


class LangSmith:
    """LangSmith's client: a run for each output, sent by its background thread."""

    def __init__(self, stub: str) -> None:
        from langsmith import Client

        os.environ["LANGSMITH_TRACING"] = "true"
        self._client = Client(api_url=stub, api_key="key", info=_SERVER)

    def hand_over(self, outputs: list[Output]) -> None:
        for output in outputs:
            name = output["agent_type"]
            run = uuid.uuid4()
            self._client.create_run(name, {}, "chain", id=run, trace_id=run, outputs=output, dotted_order=_order(run))

    def drain(self) -> None:
        self._client.flush(BUDGET)

    def sent(self) -> int:
        return 0  # the client does not say


def _order(run: uuid.UUID) -> str:
    return f"20260131T120000000000Z{run}"


WAYS = {"producer": Producer, "boto3": Boto3, "aioboto3": Aioboto3, "langfuse": Langfuse, "langsmith": LangSmith}
