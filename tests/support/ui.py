"""The page of `recs ui` over a table in memory: as an application to call, or on 127.0.0.1 for a browser."""

import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any, Final

from starlette.testclient import TestClient
from starlette.types import ASGIApp

from recommendation_cli.options.table import TableOptions
from recommendation_cli.ui.access import TOKEN, Access
from recommendation_cli.ui.app import application
from recommendation_cli.ui.server import UiServer
from recommendation_cli.ui.site import Site, site_of
from recommendation_shared.item.marks import MARKS
from tests.support.fakes.recommendation_table import FakeDynamoDb, IndexedDynamoDb, Item, item, runtime

TABLE: Final = TableOptions(
    table=None, reviews_table=None, region=None, profile=None, endpoint_url=None, include_expired=False
)
_ADDRESS: Final = "http://127.0.0.1"
_STARTS: Final = 10  # seconds, on a busy machine
_PATIENCE: Final = 30.0  # seconds: on a busy machine too, a page is complete before it begins to appear


def replayed() -> list[Item]:
    """Return an execution and its replay, in which the consensus changed and an agent timed out."""
    earlier = timedelta(hours=1)
    replay = {"status": "SUCCESS", "replayMetadata": {"replay_of": "execution-1"}}
    return [
        item("knowledge-rag", age=earlier + timedelta(seconds=5), reasoning="The index is full."),
        item("consensus", age=earlier),
        item("knowledge-rag", age=timedelta(seconds=5), execution_id="execution-2", metadata={"status": "TIMEOUT"}),
        item("consensus", execution_id="execution-2", confidence=0.5, metadata=replay),
    ]


def ui_site(client: FakeDynamoDb, *, may_review: bool = False, quick: float = _PATIENCE, **replaced: Any) -> Site:
    """Return a site that reads a table in memory; `replaced` are other parts of the runtime."""
    return replace(site_of(replace(runtime(client), **replaced), TABLE, Access(), may_review=may_review), quick=quick)


class HeldAtTheEnd(IndexedDynamoDb):
    """A table whose answer to the last query of the list of incidents (for marks) waits until `go_on` is set."""

    def __init__(self, items: Sequence[Item]) -> None:
        super().__init__(items)
        self.go_on = threading.Event()

    def query(self, **parameters: Any) -> Mapping[str, Any]:
        """Return what the index holds for these parameters."""
        if parameters["ExpressionAttributeValues"][":key"]["S"] == MARKS:
            assert self.go_on.wait(60)
        return super().query(**parameters)

    def site(self) -> Site:
        """Return a site whose pages begin at once, and whose progress is always due."""
        clock = count(step=10)
        return ui_site(self, quick=0.0, monotonic=lambda: next(clock))


def visitor(site: Site) -> TestClient:
    """Return a browser that has opened the address with its token."""
    client = stranger(application(site))
    assert client.get(f"/?{TOKEN}={site.access.token}", follow_redirects=False).status_code == 303
    return client


def stranger(app: ASGIApp) -> TestClient:
    """Return a browser that has not."""
    return TestClient(app, base_url=_ADDRESS, raise_server_exceptions=False)


@contextmanager
def running_ui(site: Site, wrap: Callable[[ASGIApp], ASGIApp] = lambda app: app) -> Iterator[str]:
    """Serve the page until the end of the block, and yield its address without the token."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = UiServer(wrap(application(site)), site.closing)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + _STARTS
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.01)
        try:
            yield f"{_ADDRESS}:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(_STARTS)
