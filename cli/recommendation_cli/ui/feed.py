"""New recommendations as they are stored; one poll a second serves all pages that follow the same."""

import asyncio
import json
import secrets
from collections import OrderedDict, deque
from collections.abc import AsyncGenerator, Callable, Iterator
from datetime import timedelta
from threading import Lock
from typing import Any, Final, NamedTuple

import click

from recommendation_cli.aws.connection import Target
from recommendation_cli.aws.errors import explained
from recommendation_cli.facts import succeeded
from recommendation_cli.follow.followed import INTERVAL, every_agent, one_incident, passing_failure
from recommendation_cli.follow.follower import Follower
from recommendation_cli.options.table import TableOptions
from recommendation_cli.runtime import Runtime
from recommendation_cli.search.projection import LISTED
from recommendation_cli.search.queries import Document
from recommendation_cli.summary import summarise
from recommendation_cli.ui.in_thread import in_thread
from recommendation_cli.ui.links import incident_path, recommendation_path
from recommendation_shared.envelope.identity import EPOCH, sort_key

_KEPT: Final = 1_000  # events, for pages that reconnect
_FEEDS: Final = 20  # of which those not looked at for the longest are forgotten
_SINCE: Final = timedelta(hours=1)  # what a feed of everything begins with


class Event(NamedTuple):
    """A recommendation, under its number in the feed."""

    number: int
    fields: dict[str, Any]


class Feed:
    """What is stored in one incident, or (None) in all of them, in the order in which it was found.

    Whoever waits for events polls; nobody does while nobody waits.
    """

    def __init__(self, runtime: Runtime, table: TableOptions, incident_id: str | None) -> None:
        self.name = secrets.token_hex(4)
        self._runtime = runtime
        self._table = table
        self._incident_id = incident_id
        self._events: deque[Event] = deque(maxlen=_KEPT)
        self._follower: Follower | None = None
        self._found: deque[Document] = deque()
        self._polling = asyncio.Lock()
        self._busy = Lock()
        self._due = 0.0
        self.last = 0
        self.has_failed = False

    @property
    def first(self) -> int:
        """The number of the first event that is kept."""
        return self.last - len(self._events) + 1

    def newer(self, number: int) -> list[Event]:
        """Return the events after a number."""
        return [event for event in self._events if event.number > number]

    async def wait(self, number: int) -> str | None:
        """Wait for events after a number, for at most an interval; return why the poll failed if the next may succeed.

        Raises click's exceptions when no other poll would succeed.
        """
        async with self._polling:
            if self.last > number:  # somebody else's poll found them
                return None
            await asyncio.sleep(max(0.0, self._due - self._runtime.monotonic()))
            try:
                return await in_thread(self._poll)
            except click.ClickException:
                self.has_failed = True
                raise
            finally:
                self._due = self._runtime.monotonic() + INTERVAL
                while self._found:
                    self.last += 1
                    self._events.append(Event(self.last, _fields(self._found.popleft())))

    def _poll(self) -> str | None:
        if not self._busy.acquire(blocking=False):  # still in a thread whose page has gone
            return None
        try:
            target = self._table.target(self._runtime)
            with explained(target):
                try:
                    for document in self._documents(target):
                        self._found.append(document)  # at once: a poll that fails does not find it again
                except Exception as error:
                    why = passing_failure(error)
                    if why is None:
                        raise
                    return why
        finally:
            self._busy.release()
        return None

    def _documents(self, target: Target) -> Iterator[Document]:
        if self._follower is None:
            client = self._runtime.connect(target)
            if self._incident_id is not None:
                followed = one_incident(self._incident_id)
                self._follower = Follower(client, target.table, followed, self._runtime.now)
                yield from self._follower.existing(attributes=LISTED, whole=False)
                return
            followed = every_agent(client, target.table)
            follower = Follower(client, target.table, followed, self._runtime.now)
            follower.skip(sort_key(EPOCH + timedelta(seconds=self._runtime.now()) - _SINCE))
            self._follower = follower
        yield from self._follower.poll()


class Feeds:
    """The feeds of one server; `forget` makes the runtime connect again."""

    def __init__(self, runtime: Runtime, table: TableOptions, forget: Callable[[], None]) -> None:
        self._runtime = runtime
        self._table = table
        self._forget = forget
        self._feeds: OrderedDict[str | None, Feed] = OrderedDict()

    def feed(self, incident_id: str | None) -> Feed:
        """Return the feed of an incident, or (None) of all of them; one that has failed begins again."""
        failed = self._feeds.get(incident_id)
        if failed is not None and failed.has_failed:
            del self._feeds[incident_id]
            self._forget()
        feed = self._feeds.setdefault(incident_id, Feed(self._runtime, self._table, incident_id))
        self._feeds.move_to_end(incident_id)
        while len(self._feeds) > _FEEDS:
            self._feeds.popitem(last=False)
        return feed


async def lines(feed: Feed, last_event_id: str, closing: asyncio.Event) -> AsyncGenerator[str, None]:
    """Yield a feed in the format of server-sent events, after the event that the browser saw last, until `closing`."""
    name, _, number = last_event_id.partition("-")
    shown = int(number) if name == feed.name and number.isascii() and number.isdecimal() else 0
    yield "retry: 1000\n\n"
    ending = asyncio.create_task(closing.wait())
    try:
        while not closing.is_set():
            # A page that continues another feed may show them: it does not say where it was in this one.
            if shown < feed.first - 1 and (shown or not last_event_id):
                yield _line("gap", {"missed": feed.first - 1 - shown})
                shown = feed.first - 1
            for event in feed.newer(shown):
                yield _line("recommendation", event.fields, f"{feed.name}-{event.number}")
                shown = event.number
            waiting = asyncio.create_task(feed.wait(shown))
            try:
                await asyncio.wait({waiting, ending}, return_when=asyncio.FIRST_COMPLETED)
            finally:  # also if the browser has gone
                waiting.cancel()
            if waiting.done():
                yield _line("waiting", {"why": waiting.result()})
    except click.ClickException as error:
        yield _line("failed", {"message": error.format_message()})
    finally:
        ending.cancel()


def _line(kind: str, fields: dict[str, Any], identity: str = "") -> str:
    return f"{identity and f'id: {identity}{chr(10)}'}event: {kind}\ndata: {json.dumps(fields)}\n\n"


def _fields(document: Document) -> dict[str, Any]:
    """Return what the page shows of a recommendation; its script writes each as text, never as markup."""
    summary = summarise(document)
    return {
        "path": recommendation_path(str(document.get("recommendationId"))),
        "incidentPath": incident_path(str(document.get("incidentId"))),
        "time": f"{summary.timestamp[:10]} {summary.time_of_day}",
        "incident": summary.incident_id,
        "execution": summary.execution_id,
        "agent": summary.agent_type,
        "confidence": "" if summary.confidence is None else f"{summary.confidence:.2f}",
        "status": summary.status,
        "failed": not succeeded(summary.status),
        "headline": summary.headline,
    }
