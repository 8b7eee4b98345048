"""The producer, of which an executor has one per sandbox."""

import atexit
import os
import time
import weakref
from collections.abc import Callable
from functools import partial
from random import SystemRandom
from typing import TYPE_CHECKING, Final, NoReturn, ParamSpec, Self, TypeVar, Unpack

from recommendation_producer._balance import INVALID, NOT_CONFIGURED, REDACT_FAILED, Balance, Outcome
from recommendation_producer._bodies import snapshot
from recommendation_producer._buffer import Buffer
from recommendation_producer._configuration import (
    Drain,
    Options,
    bound,
    drains_after_response,
    options_from,
    problem_with,
    region_of,
)
from recommendation_producer._draining.termination import call_at_sigterm
from recommendation_producer._executor_state.handed_over import HandedOver
from recommendation_producer._executor_state.recommendations import recommendations_of
from recommendation_producer._loss_log import LOGGER
from recommendation_producer._metrics import MetricWriter
from recommendation_producer._redaction import Redact, RedactError, redacted
from recommendation_producer._sending.client import open_client
from recommendation_producer._sending.delivery import ClientFactory, Setup
from recommendation_producer._sending.sender import Sender
from recommendation_producer._trace_header import TraceHeader
from recommendation_shared import limits, metrics
from recommendation_shared.backoff import full_jitter
from recommendation_shared.envelope.errors import EnvelopeError
from recommendation_shared.envelope.writing import EnvelopeArguments, valid_fields
from recommendation_shared.import_guard import importing

if TYPE_CHECKING:
    from recommendation_producer._draining.after_response import Extension

MAX_ITEMS: Final = 10_000
MAX_BYTES: Final = 32 * 1024 * 1024
MAX_AGE: Final = 0.2  # seconds that an envelope waits for others of its batch
BASE_DELAY: Final = 0.1  # seconds
MAX_DELAY: Final = 2.0  # seconds; no longer than a drain, which might otherwise pass without any attempt
# With these delays the sender gives up a batch after about 95 s on average, while the sandbox is awake. It can wait
# that long because the buffer is bounded. It must give up, or a batch that can never be sent would block the others.
ATTEMPTS: Final = 100
_AT_EXIT: Final = 1.0  # seconds
_TO_STOP: Final = 0.5  # seconds; the thread ends in less, unless it hangs in a name lookup
_POLL: Final = 0.005  # seconds between checks in `aflush`

_P = ParamSpec("_P")
_R = TypeVar("_R")


class RecommendationProducer:
    """Hands recommendations over to a background sender; never slows, blocks or breaks its host.

    With a `queue_url` that is None or cannot be used, the producer logs the reason, accepts every call and counts every
    envelope as dropped (`not_configured`).
    It holds at most `max_items` envelopes and `max_bytes` of bodies, including those in flight; beyond that it drops
    the newest (`buffer_full`). A batch that is not full is sent after `max_age` seconds. `retention` is in days, None
    to keep items indefinitely, and applies to envelopes that do not set their own. `redact` receives the arguments of
    `enqueue` as plain JSON values and returns those to send; if it fails, the envelope is dropped, never sent raw.
    `emit_metrics` writes EMF to stdout at every flush; None does so only in Lambda, where it becomes metrics. They are
    in `metrics_namespace`, or else in that of the stage whose queue this is. `drain` says when a `lambda_handler`
    drains.

    Safe in sync code, coroutines (any number of event loops) and threads. A forked child starts empty and sends only
    its own envelopes. The sender runs until the process ends: `close` a producer that you do not keep. `clock`
    (monotonic seconds), `jitter` (0 to 1) and `client_factory` are for tests.
    """

    def __init__(  # noqa: PLR0913 - settings, all but three by name only
        self,
        queue_url: str | None,
        region_name: str | None = None,
        endpoint_url: str | None = None,
        *,
        max_items: int = MAX_ITEMS,
        max_bytes: int = MAX_BYTES,
        max_age: float = MAX_AGE,
        retention: int | None = limits.RETENTION_DAYS,
        redact: Redact | None = None,
        emit_metrics: bool | None = None,
        metrics_namespace: str | None = None,
        drain: Drain = "before_response",
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] | None = None,
        client_factory: ClientFactory | None = None,
    ) -> None:
        self._problem = problem_with(queue_url, region_name, endpoint_url, os.environ)
        if self._problem is not None:
            LOGGER.warning("recommendations will be dropped, not persisted: %s", self._problem)
        self._queue_url = queue_url
        self._max_items: int = bound("max_items", max_items, MAX_ITEMS)
        self._max_bytes: int = bound("max_bytes", max_bytes, MAX_BYTES)
        self._max_age: float = bound("max_age", max_age, MAX_AGE)
        self._retention = retention
        self._redact = redact
        self._emit_metrics = "AWS_LAMBDA_FUNCTION_NAME" in os.environ if emit_metrics is None else emit_metrics
        self._namespace = metrics_namespace or metrics.namespace_of(None if self._problem else queue_url)
        self._drains_after_response = drains_after_response(drain)
        self._extension: Extension | None = None
        self._trace_header = TraceHeader(os.environ)
        self._clock = clock
        # Not `random.random`: all sandboxes that start from one snapshot share its state, and would retry together.
        self._delays = partial(
            full_jitter, jitter or SystemRandom().random, base=BASE_DELAY, cap=MAX_DELAY, attempts=ATTEMPTS
        )
        self._client_factory = client_factory or partial(open_client, region_name or region_of(queue_url), endpoint_url)
        self._handed_over = HandedOver()
        self._start_afresh()
        if hasattr(os, "register_at_fork"):  # not everywhere
            os.register_at_fork(after_in_child=partial(_call_if_alive, weakref.WeakMethod(self._after_fork_in_child)))
        atexit.register(_call_if_alive, weakref.WeakMethod(self._at_exit))
        call_at_sigterm(weakref.WeakMethod(self._at_sigterm))
        if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
            from recommendation_producer._draining.snapshot import call_before_snapshot  # noqa: PLC0415 - rare

            call_before_snapshot(partial(_call_if_alive, weakref.WeakMethod(self._before_snapshot)))

    @classmethod
    def from_env(cls, **options: Unpack[Options]) -> "RecommendationProducer":
        """Create a producer from the environment; `options` are those of the constructor.

        The host still runs without a valid RECOMMENDATIONS_QUEUE_URL: this is logged here, once, and every envelope
        is counted as dropped (`not_configured`).
        """
        return cls(**(options_from(os.environ) | options))

    def enqueue(self, **fields: Unpack[EnvelopeArguments]) -> Outcome:
        """Snapshot one recommendation and queue it for sending, in microseconds.

        Never raises, logs or waits. The outcome says what is wrong, if anything, and the balance counts it.
        """
        if self._problem is not None:
            return self._refused(NOT_CONFIGURED, self._problem)
        try:
            if "retention" not in fields:
                fields["retention"] = self._retention
            valid = valid_fields(**(fields if self._redact is None else redacted(fields, self._redact)))
            body = snapshot(valid)
        except RedactError as error:
            return self._refused(REDACT_FAILED, str(error))
        except EnvelopeError as error:
            return self._refused(INVALID, error.detail)
        except Exception as error:  # noqa: BLE001 - the host never sees an error of ours; counted as invalid
            return self._refused(INVALID, f"envelope: {type(error).__name__}")
        recommendation_id: str = valid["recommendationId"]
        reason = self._buffer.offer(body, self._clock(), self._trace_header.current())
        if reason is not None:
            return Outcome(accepted=False, reason=reason, recommendation_id=recommendation_id)
        self._sender.notice()
        return Outcome(accepted=True, recommendation_id=recommendation_id)

    def enqueue_state(self, state: object) -> list[Outcome]:
        """Enqueue every agent's output in the executor's graph state, and the consensus; never raises."""
        return [self._handed_over.enqueue(found, self.enqueue) for found in recommendations_of(state)]

    def flush(self, timeout: float = 2.0) -> Balance:
        """Send what was enqueued before this call, within `timeout` seconds; keep the rest for later.

        In Lambda, also write the counts since the last flush to stdout as EMF.
        """
        mark, deadline = self._begin_flush(timeout)
        self._sender.wait_until_settled(mark, deadline)
        return self._end_flush()

    async def aflush(self, timeout: float = 2.0) -> Balance:  # noqa: ASYNC109 - a budget, not a cancellation
        """Do what `flush` does without blocking the event loop."""
        import asyncio  # noqa: PLC0415 - 30 ms, and whoever calls this has it

        mark, deadline = self._begin_flush(timeout)
        while self._sender.must_wait_for(mark, deadline):  # noqa: ASYNC110 - an Event has one loop, and senders another
            await asyncio.sleep(_POLL)
        return self._end_flush()

    @property
    def balance(self) -> Balance:
        """The counts of everything handed over so far."""
        return self._buffer.balance()

    def close(self, timeout: float = 2.0) -> Balance:
        """Flush, stop the sender and refuse later envelopes; count the unsent ones as dropped (`shutdown`)."""
        self._buffer.close()
        mark, deadline = self._begin_flush(timeout)
        self._sender.wait_until_settled(mark, deadline)
        self._sender.stop(_TO_STOP)
        self._buffer.abandon()
        return self._end_flush()

    def lambda_handler(self, handler: Callable[_P, _R]) -> Callable[_P, _R]:
        """Decorate a Lambda handler of any kind so that the producer drains before the sandbox freezes.

        With `drain="after_response"` the handler returns at once, and the sandbox stays awake for the drain. Decorate
        at module scope then: Lambda accepts an extension only while the sandbox initialises. If it refuses, the drain
        takes place before the response, and RecommendationDrainFallback counts it.
        """
        try:
            with importing():
                from recommendation_producer._draining.handler import drained  # noqa: PLC0415 - for Lambda only

            if self._drains_after_response and self._extension is None:
                with importing():
                    from recommendation_producer._draining.after_response import Extension, open_api  # noqa: PLC0415 - rare

                self._extension = Extension(self.flush, open_api, self._metrics.note_fallback)
                self._extension.register()
        except Exception as error:  # noqa: BLE001 - the host must still start; the sender sends while it is awake
            LOGGER.warning("the handler will not drain: %s: %s", type(error).__name__, error)
            return handler
        return drained(handler, self, takes_over=self._extension)

    def __copy__(self) -> Self:
        """Return the same producer, as for a module or a lock: hosts copy objects and settings that hold one."""
        return self

    def __deepcopy__(self, _: object) -> Self:
        """Return the same producer."""
        return self

    def __reduce__(self) -> NoReturn:
        """Raise `TypeError`: a producer's threads and connections cannot go to another process."""
        raise TypeError("a RecommendationProducer cannot be pickled: create one in each process, by `from_env()`")

    def _refused(self, reason: str, detail: str | None) -> Outcome:
        self._buffer.refuse(reason)
        return Outcome(accepted=False, reason=reason, detail=detail)

    def _begin_flush(self, timeout: float) -> tuple[int, float]:
        deadline = self._clock() + timeout
        mark = self._buffer.admitted
        if not self._buffer.is_settled(mark):
            self._sender.start_draining(mark)
        return mark, deadline

    def _end_flush(self) -> Balance:
        balance = self.balance
        self._metrics.write(self._buffer.admitted, balance.dropped, balance.pending)
        return balance

    def _start_afresh(self) -> None:
        self._buffer = Buffer(self._max_items, self._max_bytes)
        self._metrics = MetricWriter(self._namespace, is_on=self._emit_metrics)
        self._sender = Sender(
            Setup(
                self._buffer,
                self._queue_url or "",
                self._client_factory,
                self._metrics.note_batch,
                self._max_age,
                self._delays,
                self._clock,
            )
        )

    def _after_fork_in_child(self) -> None:
        # Never release the parent's: finalizing its client here would close connections that the parent uses (TLS says
        # goodbye on them).
        self._inherited = self._sender
        self._start_afresh()

    def _at_exit(self) -> None:
        self._end_within(_AT_EXIT)
        if self._buffer.is_settled(self._buffer.admitted):  # so no call is in flight, and the threads can end at once
            self._sender.stop(_TO_STOP)  # a subinterpreter that ends with a thread left takes the process with it

    def _before_snapshot(self) -> None:
        # What is pending would be sent by every sandbox that starts from the snapshot, and be in the metrics of each.
        self.flush()
        self._sender.renew_client()

    def _at_sigterm(self, timeout: float, is_final: bool) -> None:  # noqa: FBT001 - called by position
        if is_final:
            self._end_within(timeout)
        else:
            self.flush(timeout)

    def _end_within(self, timeout: float) -> None:
        self._buffer.close()
        mark, deadline = self._begin_flush(timeout)
        self._sender.wait_until_settled(mark, deadline)
        self._buffer.abandon()
        self._end_flush()


def _call_if_alive(reference: "weakref.WeakMethod[Callable[[], None]]") -> None:
    method = reference()
    if method is not None:
        method()
