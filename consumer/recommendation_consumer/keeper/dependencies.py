"""The keeper's dependencies on the outside world, in one object."""

from collections.abc import Callable
from dataclasses import dataclass

from aws_lambda_powertools import Logger

from recommendation_consumer.dependencies import SendBatch
from recommendation_consumer.keeper.archive import PutFile
from recommendation_shared.settings import Settings


@dataclass(frozen=True, slots=True)
class KeeperDependencies:
    """Built once per sandbox by `handler.sandbox`; tests build their own.

    `put_file` writes a file of the archive, and is None without an archive. `monotonic` and `wall` return seconds;
    `wall` counts from the epoch.
    """

    settings: Settings
    logger: Logger
    send_dead_letters: SendBatch
    put_file: PutFile | None
    monotonic: Callable[[], float]
    wall: Callable[[], float]
