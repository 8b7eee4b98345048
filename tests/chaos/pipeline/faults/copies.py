"""Deliveries that SQS's standard queues may make and an emulator does not: twice at once, and after a delete."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

_RECEIPT: Final = "copy-"

Message = Mapping[str, Any]  # as ReceiveMessage answers


class Copy(NamedTuple):
    """One more delivery of a message, and the fault that it is."""

    fault: str
    message: Message


class Copies:
    """Messages to be delivered once more, under receipts that the queue does not know."""

    def __init__(self) -> None:
        self._due: deque[Copy] = deque()
        self._awaiting_delete: dict[str, Copy] = {}
        self._made = 0

    def plan(self, fault: str, message: Message) -> None:
        """Deliver this message again: with the next answer, or once it was deleted."""
        self._made += 1
        copy = Copy(fault, {**message, "ReceiptHandle": f"{_RECEIPT}{self._made}"})
        if fault == "redelivered":
            self._awaiting_delete[message["ReceiptHandle"]] = copy
        else:
            self._due.append(copy)

    def take(self) -> list[Copy]:
        """Return what is due, at most one, so that an answer has room for others."""
        return [self._due.popleft()] if self._due else []

    def give_back(self, copies: Iterable[Copy]) -> None:
        """Keep for another answer what could not be delivered."""
        self._due.extend(copies)

    def note_deleted(self, receipts: Iterable[str]) -> None:
        """Note what the queue has deleted."""
        self._due.extend(self._awaiting_delete.pop(one) for one in receipts if one in self._awaiting_delete)


def is_copy(entry: Mapping[str, Any]) -> bool:
    """Tell whether an entry of DeleteMessageBatch is about a copy."""
    return str(entry["ReceiptHandle"]).startswith(_RECEIPT)


def deleted(entries: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Return what SQS answers for entries that it has deleted."""
    return [{"Id": str(entry["Id"])} for entry in entries]
