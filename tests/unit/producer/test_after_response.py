"""The extension drains after the response, and asks for the next invocation whatever happens."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import Any

import pytest

from recommendation_producer._draining.after_response import GRACE, Extension
from recommendation_producer._draining.extensions_api import ExtensionsApi, ExtensionsApiError, Invoke
from recommendation_producer._draining.handler import CAP, MARGIN, drained

NOTHING_HANGS = 20.0  # seconds
LATE = 10.0  # seconds that a busy machine may add to a wait; a bug would wait until the deadline below
FAR = 3_600.0  # seconds until the deadline of an invocation


class FakeLambda(ExtensionsApi):
    """Lambda's side: hands over invocations, and records what the extension does. `refusals` are raised first."""

    def __init__(self, *refusals: Exception) -> None:
        self.registered: list[str] = []
        self.refusals = list(refusals)
        self._asked: SimpleQueue[None] = SimpleQueue()
        self._invokes: SimpleQueue[Invoke | None] = SimpleQueue()

    def register(self, name: str, /) -> None:
        """Accept the registration."""
        self.registered.append(name)

    def close(self) -> None:
        """Do nothing: there is no connection."""

    def next_invoke(self) -> Invoke | None:
        """Fail as scripted, or wait for an invocation."""
        self._asked.put(None)
        if self.refusals:
            raise self.refusals.pop(0)
        return self._invokes.get()

    def invoke(self, request_id: str, seconds: float = FAR) -> None:
        """Start an invocation that may take so long."""
        self._invokes.put(Invoke(request_id, (time.time() + seconds) * 1000))

    def send_other_event(self) -> None:
        """Send an event that is not an invocation."""
        self._invokes.put(None)

    def was_asked(self, timeout: float = NOTHING_HANGS) -> bool:
        """Return whether the extension asks for an invocation within these seconds."""
        try:
            self._asked.get(timeout=timeout)
        except Empty:
            return False
        return True


class Drain:
    """Records the seconds it is given; may hang or raise."""

    def __init__(self, hang: threading.Event | None = None, error: BaseException | None = None) -> None:
        self.seconds: list[float] = []
        self.hang = hang
        self.error = error

    def __call__(self, seconds: float) -> None:
        """Drain."""
        self.seconds.append(seconds)
        if self.hang is not None:
            self.hang.wait()
        if self.error is not None:
            raise self.error


class Counter:
    """Counts the drains that were left to the handler."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        """Count one."""
        self.count += 1


def extension(
    lambda_: FakeLambda, drain: Drain, fallbacks: Callable[[], None] = lambda: None, grace: float = GRACE
) -> Extension:
    """Return a registered extension, which has asked for its first invocation."""
    running = Extension(drain, lambda: lambda_, fallbacks, grace)
    running.register()
    assert lambda_.was_asked()
    return running


@contextmanager
def asks_no_earlier(lambda_: FakeLambda) -> Iterator[None]:
    """Check that the extension has not asked yet, and does so after the block."""
    assert not lambda_.was_asked(0.05)
    yield
    assert lambda_.was_asked()


def test_drain_starts_when_the_handler_has_ended_and_the_next_invocation_is_asked_for_after_it() -> None:
    """Its budget is the cap, as in the handler."""
    lambda_, drain = FakeLambda(), Drain(hang=threading.Event())
    running = extension(lambda_, drain)
    for number in range(3):
        assert drain.hang is not None
        drain.hang.clear()
        lambda_.invoke(f"request-{number}")
        running.begin(f"request-{number}")
        assert len(drain.seconds) == number
        assert running.end(f"request-{number}")
        with asks_no_earlier(lambda_):
            drain.hang.set()
    assert drain.seconds == [CAP] * 3


def test_budget_ends_a_margin_before_the_deadline_of_the_invocation() -> None:
    """Lambda ends a sandbox whose extension is not ready by then."""
    lambda_, drain = FakeLambda(), Drain()
    running = extension(lambda_, drain)
    running.begin("request")
    assert running.end("request")
    lambda_.invoke("request", seconds=MARGIN + 1.0)
    assert lambda_.was_asked()
    (seconds,) = drain.seconds
    assert 0.0 <= seconds <= 1.0


def test_handler_that_ends_before_the_extension_learns_of_the_invocation_is_drained() -> None:
    """Lambda tells both at the same moment."""
    lambda_, drain = FakeLambda(), Drain()
    running = extension(lambda_, drain)
    running.begin("request")
    assert running.end("request")
    assert drain.seconds == []
    lambda_.invoke("request")
    assert lambda_.was_asked()
    assert drain.seconds == [CAP]


def test_same_request_is_drained_again_when_lambda_retries_it() -> None:
    """An asynchronous invocation that failed comes again under the same request ID."""
    lambda_, drain = FakeLambda(), Drain()
    running = extension(lambda_, drain)
    for number in range(1, 3):
        lambda_.invoke("request")
        assert not lambda_.was_asked(0.05)
        running.begin("request")
        assert running.end("request")
        assert lambda_.was_asked()
        assert len(drain.seconds) == number


def test_only_the_outer_of_two_decorated_handlers_ends_the_invocation() -> None:
    """A decorated function may be called by a decorated handler."""
    lambda_, drain = FakeLambda(), Drain()
    running = extension(lambda_, drain)
    lambda_.invoke("request")
    running.begin("request")
    running.begin("request")
    assert running.end("request")
    with asks_no_earlier(lambda_):
        assert drain.seconds == []
        assert running.end("request")
    assert drain.seconds == [CAP]


def test_invocation_without_a_decorated_handler_is_held_for_a_moment_once_and_later_ones_not_at_all() -> None:
    """The sandbox must not be kept awake for nothing; once the decorated handler runs, it is waited for again."""
    lambda_, drain, fallbacks = FakeLambda(), Drain(), Counter()
    running = extension(lambda_, drain, fallbacks)
    started = time.monotonic()
    lambda_.invoke("request-1")
    assert lambda_.was_asked()
    assert GRACE <= time.monotonic() - started < GRACE + LATE
    lambda_.invoke("request-2")
    assert lambda_.was_asked(GRACE)
    running.begin("request-2")
    assert not running.end("request-2")
    assert fallbacks.count == 1
    lambda_.invoke("request-3")
    assert not lambda_.was_asked(0.05)
    running.begin("request-3")
    assert running.end("request-3")
    assert lambda_.was_asked()
    assert drain.seconds == [CAP]


def test_awaitable_that_nobody_awaits_does_not_hold_the_sandbox() -> None:
    """The handler has returned it, and nothing tells whether it will ever run."""
    lambda_, drain = FakeLambda(), Drain()
    running = extension(lambda_, drain, grace=0.1)
    lambda_.invoke("request")
    running.begin("request")
    running.pause("request")
    assert lambda_.was_asked(LATE)
    running.begin("request")
    assert not running.end("request")
    assert drain.seconds == []


def test_stream_that_was_never_closed_does_not_affect_the_next_invocation() -> None:
    """Its end is never reported."""
    lambda_, drain = FakeLambda(), Drain()
    running = extension(lambda_, drain)
    running.begin("request-1")
    lambda_.invoke("request-1", seconds=MARGIN)
    assert lambda_.was_asked()
    lambda_.invoke("request-2")
    running.begin("request-2")
    assert running.end("request-2")
    assert lambda_.was_asked()
    assert drain.seconds == [CAP]


def test_handler_that_runs_into_its_deadline_is_let_go() -> None:
    """Whatever it does then, the extension is ready in time; should it still end, it drains itself."""
    lambda_, drain, fallbacks = FakeLambda(), Drain(), Counter()
    running = extension(lambda_, drain, fallbacks)
    running.begin("request")
    lambda_.invoke("request", seconds=MARGIN + 0.1)
    assert lambda_.was_asked(LATE)
    assert not running.end("request")
    assert (drain.seconds, fallbacks.count) == ([], 1)


def test_drain_that_hangs_is_not_waited_for_beyond_its_budget() -> None:
    """Nor is another one started; when it ends at last, drains take place again."""
    lambda_, drain = FakeLambda(), Drain(hang=threading.Event())
    running = extension(lambda_, drain)
    for number in range(2):
        running.begin(f"request-{number}")
        assert running.end(f"request-{number}")
        lambda_.invoke(f"request-{number}", seconds=MARGIN + 0.2)
        assert lambda_.was_asked(LATE)
    assert len(drain.seconds) == 1
    assert drain.hang is not None
    drain.hang.set()
    ends = time.monotonic() + NOTHING_HANGS
    number = 2
    while len(drain.seconds) < 2 and time.monotonic() < ends:
        running.begin(f"request-{number}")
        assert running.end(f"request-{number}")
        lambda_.invoke(f"request-{number}")
        assert lambda_.was_asked()
        number += 1
    assert len(drain.seconds) == 2


@pytest.mark.parametrize("error", [ZeroDivisionError(), SystemExit(), MemoryError()])
def test_drain_that_raises_changes_nothing(error: BaseException, caplog: pytest.LogCaptureFixture) -> None:
    """Its thread survives, and serves the next invocation."""
    lambda_, drain = FakeLambda(), Drain(error=error)
    running = extension(lambda_, drain)
    for number in range(2):
        lambda_.invoke(f"request-{number}")
        running.begin(f"request-{number}")
        assert running.end(f"request-{number}")
        assert lambda_.was_asked()
    assert len(drain.seconds) == 2
    assert f"draining after the response failed: {type(error).__name__}" in caplog.text


def test_request_that_fails_is_repeated_and_the_handler_drains_meanwhile(caplog: pytest.LogCaptureFixture) -> None:
    """For instance a connection that died during a freeze."""
    lambda_, drain, fallbacks = FakeLambda(ConnectionResetError(), ExtensionsApiError("HTTP 500")), Drain(), Counter()
    running = Extension(drain, lambda: lambda_, fallbacks)
    running.register()
    assert all(lambda_.was_asked() for _ in range(3))
    lambda_.refusals.append(OSError("down"))
    lambda_.send_other_event()
    assert lambda_.was_asked()
    assert lambda_.was_asked()
    lambda_.invoke("request")
    running.begin("request")
    assert running.end("request")
    assert lambda_.was_asked()
    assert (drain.seconds, fallbacks.count) == ([CAP], 0)
    assert "the extension asks Lambda again: ConnectionResetError" in caplog.text
    assert "the extension asks Lambda again: ExtensionsApiError: HTTP 500" in caplog.text


def test_handler_drains_while_no_request_for_an_invocation_succeeds() -> None:
    """Then the extension cannot know when the sandbox freezes."""
    journal, fallbacks = Journal(), Counter()

    may_rest = threading.Event()

    class Down(FakeLambda):
        def next_invoke(self) -> Invoke | None:
            if may_rest.is_set():
                threading.Event().wait()
            raise OSError

    running = Extension(Drain(), Down, fallbacks)
    running.register()
    handler = drained(lambda _event, _context: "done", journal, takes_over=running)
    ends = time.monotonic() + NOTHING_HANGS
    while fallbacks.count == 0 and time.monotonic() < ends:  # it seems to be asking for a moment, each time
        assert handler({}, Context("request")) == "done"
    may_rest.set()
    assert fallbacks.count == journal.drains == 1


@pytest.mark.parametrize("error", [ExtensionsApiError("POST register: HTTP 403"), ConnectionRefusedError(), KeyError()])
def test_registration_that_fails_leaves_every_drain_to_the_handler(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged once with its reason, and every such drain is counted."""

    class Refusing(FakeLambda):
        def register(self, _name: str) -> None:
            raise error

    journal, drain, fallbacks = Journal(), Drain(), Counter()
    running = Extension(drain, Refusing, fallbacks)
    running.register()
    handler = drained(lambda _event, _context: "done", journal, takes_over=running)
    assert [handler({}, Context("request")) for _ in range(3)] == ["done"] * 3
    assert (journal.drains, drain.seconds, fallbacks.count) == (3, [], 3)
    # The extension of an earlier test may still ask a Lambda that is down.
    (line,) = (message for message in caplog.messages if "asks Lambda again" not in message)
    assert f"the extension is not registered: {type(error).__name__}" in line


class Context:
    """A Lambda context."""

    def __init__(self, request_id: str) -> None:
        self.aws_request_id = request_id

    def get_remaining_time_in_millis(self) -> int:
        """Return a minute."""
        return 60_000


class Journal:
    """Counts the drains in the handler."""

    def __init__(self) -> None:
        self.drains = 0

    def flush(self, _timeout: float = 2.0, /) -> None:
        """Count a drain."""
        self.drains += 1

    async def aflush(self, timeout: float = 2.0, /) -> None:  # noqa: ASYNC109 - the producer's own signature
        """Count a drain."""
        self.flush(timeout)


def test_decorated_handler_returns_before_the_drain_and_raises_its_own_exception() -> None:
    """The handler itself drains nothing."""
    lambda_, drain, journal = FakeLambda(), Drain(hang=threading.Event()), Journal()
    running = extension(lambda_, drain)

    def handler(event: dict[str, Any], _context: Context) -> str:
        if event:
            raise LookupError
        return "done"

    decorated = drained(handler, journal, takes_over=running)
    lambda_.invoke("request-1")
    assert decorated({}, Context("request-1")) == "done"
    with asks_no_earlier(lambda_):
        assert drain.hang is not None
        drain.hang.set()
    lambda_.invoke("request-2")
    with pytest.raises(LookupError):
        decorated({"fails": True}, Context("request-2"))
    assert lambda_.was_asked()
    assert (len(drain.seconds), journal.drains) == (2, 0)


def test_call_without_a_lambda_context_drains_in_the_handler() -> None:
    """A test of the host's own, or a local run."""
    journal, fallbacks = Journal(), Counter()
    running = extension(FakeLambda(), Drain(), fallbacks)
    assert drained(lambda _event, _context: "done", journal, takes_over=running)({}, None) == "done"
    assert (journal.drains, fallbacks.count) == (1, 1)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_forked_child_drains_itself() -> None:
    """It has none of the extension's threads."""
    running = extension(FakeLambda(), Drain())
    child = os.fork()
    if child == 0:
        running.begin("request")
        os._exit(17 if not running.end("request") else 1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 17
