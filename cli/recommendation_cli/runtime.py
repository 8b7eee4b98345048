"""Everything commands take from outside: the clock, the environment, and AWS clients."""

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

import click

from recommendation_cli.aws.connection import DynamoDb, Location, Target, connect, create_client
from recommendation_cli.aws.queues import QueueTarget, Sqs, connect_queues
from recommendation_cli.search.period import Localise
from recommendation_cli.zone import local_zone
from recommendation_shared.settings import Settings, SettingsError


@dataclass(frozen=True)
class Runtime:
    """Passed to every command, so that tests replace it instead of patching.

    `now` returns epoch seconds; `monotonic` and `sleep` count in seconds too. `localise` converts to the user's zone.
    """

    now: Callable[[], float]
    environ: Mapping[str, str]
    connect: Callable[[Target], DynamoDb]
    connect_queues: Callable[[QueueTarget], Sqs] = connect_queues
    create_client: Callable[[str, Location], Any] = create_client
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    localise: Localise = datetime.astimezone

    @classmethod
    def of_process(cls) -> Self:
        """Return the real clock, environment and clients."""
        return cls(now=time.time, environ=os.environ, connect=connect, localise=local_zone(os.environ))

    def settings(self) -> Settings:
        """Return the settings from the environment; raise a usage error if a variable is not valid."""
        try:
            return Settings.from_env(self.environ)
        except SettingsError as error:
            raise click.UsageError(str(error)) from None

    def default_table(self) -> str:
        """Return the table that the environment names; raise a usage error if a variable is not valid."""
        return self.settings().table_name
