"""Measure how long the first page of `recs ui` takes: just after the start, and later."""

import http.client
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from statistics import median
from typing import Final, NamedTuple
from urllib.parse import parse_qs, urlsplit

from benchmarks.cli.measure import cpu_seconds
from benchmarks.support.command import goal_line
from recommendation_cli.ui.access import TOKEN, cookie_name

DELAY: Final = 0.06  # seconds: about what DynamoDB takes to answer with 1 MB of an index, most of it waiting
GOAL: Final = 1.0  # seconds until the newest incidents are visible: a longer wait interrupts a reader's thoughts
BROWSER: Final = 1.5  # seconds from the printed address to the first request: about what a browser takes to start
_TIMEOUT: Final = 60  # seconds without a byte
_BUFFER_BYTES: Final = 64 * 1024


class Page(NamedTuple):
    """Seconds from the request to the first byte, the newest incident's row and the end; CPU seconds of the server."""

    first_byte: float
    first_row: float
    whole: float
    cpu: float


class _Server(NamedTuple):
    process_id: int
    port: int
    token: str


def measured(
    command: Sequence[str], environ: Mapping[str, str], newest: str, *, later: int, pause: float = BROWSER
) -> dict[str, Page]:
    """Return the page just after `command` has started the server, and the medians of the `later` ones that follow.

    `newest` is the name of the newest incident, and `pause` the seconds before the first request. Raises RuntimeError
    if a page lacks that incident.
    """
    with _running(command, environ) as server:
        time.sleep(pause)
        first = _load(server, newest)
        others = [_load(server, newest) for _ in range(later)]
    return {"just after the start": first, "later": Page(*map(median, zip(*others, strict=True)))}


def table(pages: Mapping[str, Page]) -> str:
    """Return the pages as a Markdown table."""
    lines = ["| first page of recs ui | first byte, s | newest incident, s | whole page, s | CPU of the server, s |"]
    lines += ["|---|--:|--:|--:|--:|"]
    lines += [f"| {name} | {' | '.join(f'{seconds:.2f}' for seconds in page)} |" for name, page in pages.items()]
    return "\n".join(lines)


def goals(pages: Mapping[str, Page]) -> str:
    """Return a line for each page that says whether its newest incident was visible in time."""
    return "\n".join(
        goal_line(f"newest incident visible {name}, s", page.first_row, GOAL) for name, page in pages.items()
    )


@contextmanager
def _running(command: Sequence[str], environ: Mapping[str, str]) -> Iterator[_Server]:
    """Run the server until the end of the block."""
    with subprocess.Popen(
        command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None  # noqa: S101 - for the type checker: it is a pipe
        try:
            address = urlsplit(process.stdout.readline().strip())
            if address.port is None:
                message = f"{' '.join(command)} has not printed its address"
                raise RuntimeError(message)
            yield _Server(process.pid, address.port, parse_qs(address.query)[TOKEN][0])
        finally:
            process.send_signal(signal.SIGINT)


def _load(server: _Server, newest: str) -> Page:
    """Load the page as a browser does that has the cookie already."""
    host = "127.0.0.1"
    cookie = f"{cookie_name({'server': (host, server.port)})}={server.token}"
    body = bytearray()
    moments: dict[str, float] = {}
    used, started = cpu_seconds(server.process_id), time.monotonic()
    with closing(http.client.HTTPConnection(host, server.port, timeout=_TIMEOUT)) as connection:
        connection.request("GET", "/", headers={"Cookie": cookie})
        response = connection.getresponse()
        while part := response.read1(_BUFFER_BYTES):
            body += part
            moments.setdefault("byte", time.monotonic() - started)
            if newest.encode() in body:
                moments.setdefault("row", time.monotonic() - started)
    whole = time.monotonic() - started
    if response.status != http.HTTPStatus.OK or "row" not in moments:
        message = f"The page (status {response.status}) does not show {newest}"
        raise RuntimeError(message)
    return Page(moments["byte"], moments["row"], whole, cpu_seconds(server.process_id) - used)
