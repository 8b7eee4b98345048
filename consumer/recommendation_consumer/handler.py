"""The composition root: what Lambda calls."""

import asyncio
import gc
import os
import time
from functools import cache, partial
from random import SystemRandom
from typing import Any, Final, NamedTuple

from aws_lambda_powertools import Logger

from recommendation_consumer.clients import Clients
from recommendation_consumer.deadlines import full_jitter
from recommendation_consumer.invocation import LambdaContext, Surroundings, consume
from recommendation_consumer.outcome import BatchResponse
from recommendation_consumer.writer import Effects
from recommendation_shared.settings import Settings

SERVICE: Final = "recommendation-consumer"


class Sandbox(NamedTuple):
    """What outlives an invocation: the event loop, and the clients that belong to it."""

    runner: asyncio.Runner
    clients: Clients
    surroundings: Surroundings


@cache
def sandbox() -> Sandbox:
    """Wire the parts, once. Raises `SettingsError`."""
    settings = Settings.from_env(os.environ)
    clients = Clients(settings.require_dlq_url(), settings.region)
    # The system's randomness, because sandboxes that SnapStart restores from one snapshot share all other.
    effects = Effects(
        clients.batch_write,
        time.monotonic,
        time.time,
        asyncio.sleep,
        partial(full_jitter, SystemRandom().random),
        clients.put_item,
    )
    return Sandbox(
        asyncio.Runner(), clients, Surroundings(settings, Logger(service=SERVICE), effects, clients.send_batch)
    )


def handler(event: Any, context: LambdaContext) -> BatchResponse:
    """Store a batch of recommendations and name the messages that SQS is to deliver again."""
    runner, _, surroundings = sandbox()
    return runner.run(consume(event, context, surroundings))


def start() -> None:
    """Make the DynamoDB client. Raises `SettingsError`."""
    runner, clients, _ = sandbox()
    runner.run(clients.open_table())
    gc.freeze()  # or a full collection, of 150,000 objects that stay for ever, costs some invocation 100 ms


# While Lambda initialises a sandbox, which is before any invocation's time runs and what SnapStart keeps a snapshot of.
if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    start()
