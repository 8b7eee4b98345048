"""The queue of the stateful test: scripted call by call, held on demand, and aware of what it refused."""

import time
from collections import Counter

from tests.support.fakes.queue import Answer, Entries, FakeQueue, aws_error, failing


class ScriptedQueue(FakeQueue):
    """Also records what it refused permanently, and responds to nothing while it is held."""

    def __init__(self) -> None:
        super().__init__()
        self.is_held = False
        self.refused: Counter[str] = Counter()

    def send_message_batch(self, *, QueueUrl: str, Entries: Entries) -> Answer:
        """Hang while held."""
        while self.is_held:
            time.sleep(0.001)
        return super().send_message_batch(QueueUrl=QueueUrl, Entries=Entries)

    def refuse_first(self, entries: Entries) -> Answer:
        """Refuse the first entry as the sender's fault, and fail the second one for now."""
        self.refused["send_failed"] += 1
        faults: dict[int, tuple[str, bool]] = {
            0: ("InvalidMessageContents", True),
            1: ("InternalError", False),
        }
        return failing({position: fault for position, fault in faults.items() if position < len(entries)})(entries)

    def deny(self, entries: Entries) -> Answer:
        """Refuse the call for a permanent cause."""
        self.refused["send_failed"] += len(entries)
        raise aws_error("AccessDenied", 403)

    def refuse_for_size(self, entries: Entries) -> Answer:
        """Refuse the call for its size; a single entry is then too large."""
        if len(entries) == 1:
            self.refused["too_large"] += 1
        raise aws_error("BatchRequestTooLong", 400)
