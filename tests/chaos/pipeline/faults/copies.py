"""Extra deliveries that a standard queue may make and an emulator does not: twice at once, and after a delete."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

_RECEIPT: Final = "copy-"

Message = Mapping[str, Any]  # as returned by ReceiveMessage


class Copy(NamedTuple):
    """An extra delivery of a message, and the fault that it implements."""

    fault: str
    message: Message


class Copies:
    """The extra deliveries still to be made, under receipt handles that the queue does not know."""

    def __init__(self) -> None:
        self._due: deque[Copy] = deque()
        self._awaiting_delete: dict[str, Copy] = {}
        self._planned = 0

    def plan(self, fault: str, message: Message) -> None:
        """Deliver this message again: with the next response, or after it has been deleted."""
        self._planned += 1
        copy = Copy(fault, {**message, "ReceiptHandle": f"{_RECEIPT}{self._planned}"})
        if fault == "redelivered":
            self._awaiting_delete[message["ReceiptHandle"]] = copy
        else:
            self._due.append(copy)

    def take(self) -> list[Copy]:
        """Return the copy that is due, if any; only one, so that the response has room for other messages."""
        return [self._due.popleft()] if self._due else []

    def give_back(self, copies: Iterable[Copy]) -> None:
        """Keep copies that could not be delivered for another response."""
        self._due.extend(copies)

    def note_deleted(self, receipts: Iterable[str]) -> None:
        """Make the copies due whose messages the queue has deleted."""
        awaiting = self._awaiting_delete
        self._due.extend(awaiting.pop(receipt) for receipt in receipts if receipt in awaiting)


def is_copy(entry: Mapping[str, Any]) -> bool:
    """Return whether an entry of DeleteMessageBatch deletes a copy."""
    return str(entry["ReceiptHandle"]).startswith(_RECEIPT)


def deleted(entries: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Return the result entries of a DeleteMessageBatch that deleted `entries`."""
    return [{"Id": str(entry["Id"])} for entry in entries]
