"""The SQS client that the sender shares among its call threads: when to create, replace and give it up."""

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from recommendation_shared.import_guard import ImportGuard

if TYPE_CHECKING:
    from recommendation_producer._sending.delivery import SqsClient

RENEWAL: Final = 5.0  # seconds at least between two new clients, which cost 50 ms each
UNAVAILABLE: Final = 60.0  # seconds between two attempts to load a client that cannot be loaded


class SharedClient:
    """The current client, if there is one. Used by the sender's thread only; `clock` is in seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.client: SqsClient | None = None
        self._clock = clock
        self._is_outdated = False
        self._renewed_at = float("-inf")
        self._unavailable_until = float("-inf")

    @property
    def is_unavailable(self) -> bool:
        """Whether creating a client failed in a way that no retry can cure, less than `UNAVAILABLE` seconds ago."""
        return self.client is None and self._clock() < self._unavailable_until

    def note_unavailable(self) -> None:
        """Remember that no client can be created."""
        self._unavailable_until = self._clock() + UNAVAILABLE

    def note_outdated(self) -> None:
        """Remember that this client must go: it never looks for other credentials, or its connections are dead."""
        self._is_outdated = True

    def forget_if_outdated(self) -> None:
        """Let the next call create a client, unless the last renewal is too recent."""
        if self._is_outdated and self._clock() >= self._renewed_at + RENEWAL:
            self._is_outdated, self._renewed_at, self.client = False, self._clock(), None

    def close(self) -> None:
        """Close its connections. No call may be in flight."""
        client: Any = self.client
        with suppress(Exception):  # the first versions of botocore's clients have no such method
            client.close()


_GUARD: Final = ImportGuard("botocore")


def open_client(region_name: str | None, endpoint_url: str | None) -> Any:
    """Import botocore and return a client. Raises `ImportError` if botocore does not load, or could hang."""
    with _GUARD.importing():
        try:
            from recommendation_producer._sending import sqs_client  # noqa: PLC0415 - imports botocore
        except ImportError:
            raise
        except BaseException as error:  # also `SystemExit`: a retry would fail in the same way
            raise ImportError(f"botocore does not load: {type(error).__name__}: {error}") from error
    return sqs_client.open_client(region_name, endpoint_url)
