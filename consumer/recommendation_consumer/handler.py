"""The Lambda handler and its composition root."""

import asyncio
import gc
import os
import time
from functools import cache, partial
from random import SystemRandom
from typing import Any, Final, NamedTuple

from aws_lambda_powertools import Logger

from recommendation_consumer.batch_result import BatchResponse
from recommendation_consumer.clients import Clients
from recommendation_consumer.dependencies import Dependencies
from recommendation_consumer.invocation import LambdaContext, consume
from recommendation_consumer.observation import Observer
from recommendation_shared.backoff import full_jitter
from recommendation_shared.settings import Settings

SERVICE: Final = "recommendation-consumer"
_BASE_DELAY: Final = 0.05  # seconds
_MAX_DELAY: Final = 2.0  # seconds


class Sandbox(NamedTuple):
    """The parts that outlive an invocation: the event loop, and the clients that belong to it."""

    runner: asyncio.Runner
    clients: Clients
    dependencies: Dependencies


@cache
def sandbox() -> Sandbox:
    """Build the parts on the first call, and return the same ones later. Raises `SettingsError`."""
    settings = Settings.from_env(os.environ)
    clients = Clients(settings)
    return Sandbox(
        asyncio.Runner(),
        clients,
        Dependencies(
            settings=settings,
            logger=Logger(service=SERVICE, use_rfc3339=True),
            batch_write=clients.batch_write,
            put_item=clients.put_item,
            query=clients.query,
            send_dead_letters=clients.send_dead_letters,
            monotonic=time.monotonic,
            wall=time.time,
            sleep=asyncio.sleep,
            # The system's randomness, because sandboxes restored from one SnapStart snapshot share a generator's state.
            delays=partial(full_jitter, SystemRandom().random, base=_BASE_DELAY, cap=_MAX_DELAY),
        ),
    )


def handler(event: Any, context: LambdaContext) -> BatchResponse:
    """Store a batch of recommendations; return the batch item failures, which SQS redelivers.

    Raises `SettingsError`, `MalformedEventError` and `NothingStoredError`. SQS then redelivers the whole batch.
    """
    runner, _, dependencies = sandbox()
    return runner.run(consume(event, context, dependencies))


def observe_calls(observer: Observer) -> None:
    """Let `observer` see each DynamoDB call of this sandbox, as for tracing. Raises `SettingsError`."""
    sandbox().clients.observe(observer)


def start() -> None:
    """Open the DynamoDB client. Raises `SettingsError`."""
    runner, clients, _ = sandbox()
    runner.run(clients.open_dynamodb())
    gc.freeze()  # otherwise a full collection of 150,000 objects that are never freed costs an invocation 100 ms


# Lambda imports this module while it initialises the sandbox: before an invocation's time starts, and before SnapStart
# takes its snapshot.
if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    start()
