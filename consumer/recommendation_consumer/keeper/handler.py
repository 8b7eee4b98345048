"""The keeper's Lambda handler and its composition root."""

import asyncio
import os
import time
from functools import cache
from typing import Any, Final, NamedTuple

from aws_lambda_powertools import Logger

from recommendation_consumer.batch_result import BatchResponse
from recommendation_consumer.clients import Clients
from recommendation_consumer.invocation import LambdaContext
from recommendation_consumer.keeper.archive import ArchiveBucket
from recommendation_consumer.keeper.dependencies import KeeperDependencies
from recommendation_consumer.keeper.keeping import keep
from recommendation_shared.settings import Settings

SERVICE: Final = "recommendation-keeper"


class Sandbox(NamedTuple):
    """The parts that outlive an invocation: the event loop, and what belongs to it."""

    runner: asyncio.Runner
    dependencies: KeeperDependencies


@cache
def sandbox() -> Sandbox:
    """Build the parts on the first call, and return the same ones later. Raises `SettingsError`."""
    settings = Settings.from_env(os.environ)
    archive = None if settings.archive_bucket is None else ArchiveBucket(settings.archive_bucket, settings.region)
    return Sandbox(
        asyncio.Runner(),
        KeeperDependencies(
            settings=settings,
            logger=Logger(service=SERVICE, use_rfc3339=True),
            send_dead_letters=Clients(settings).send_dead_letters,
            put_file=None if archive is None else archive.put,
            monotonic=time.monotonic,
            wall=time.time,
        ),
    )


def handler(event: Any, context: LambdaContext) -> BatchResponse:
    """Keep what a batch of changes of the table replaced or removed; return the first change that could not be kept.

    Raises `SettingsError`, `MalformedEventError` and `NothingKeptError`. Lambda then delivers the whole batch again, in
    two halves.
    """
    runner, dependencies = sandbox()
    return runner.run(keep(event, context, dependencies))


# While Lambda initialises the sandbox, a missing setting fails the deployment and not its first event.
if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    sandbox()
