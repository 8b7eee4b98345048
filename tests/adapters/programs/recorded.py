"""What the programs have in common: running cases, and printing what they recorded."""

import json
import logging
import sys
from typing import Any

from tests.support.fakes.keeping_producer import KeepingProducer


class Cases:
    """Runs cases with a producer each, and prints what they record and log."""

    def __init__(self) -> None:
        self._results: dict[str, Any] = {}
        self._log: list[str] = []
        logger = logging.getLogger("recommendation_producer")
        handler = logging.Handler()
        handler.emit = lambda record: self._log.append(record.getMessage())
        logger.addHandler(handler)

    def add(self, name: str, producer: KeepingProducer, outcome: Any) -> None:
        """Note what a case recorded, and what the host itself got."""
        self._results[name] = {
            "kept": producer.kept,
            "invalid": producer.invalid,
            "outcome": outcome,
            "log": self._log.copy(),
        }
        self._log.clear()

    def print(self, **facts: Any) -> None:
        """Print the results as JSON."""
        json.dump({"cases": self._results, **facts}, sys.stdout, default=str)
