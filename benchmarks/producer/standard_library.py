"""The standard library's rows: `json.dumps` as the yardstick, and logging through a queue."""

import json
import logging
import queue
from collections.abc import Iterator
from contextlib import contextmanager
from logging.handlers import QueueHandler, QueueListener
from typing import Any

from benchmarks.producer.latency import Subject


@contextmanager
def json_dumps(fields: dict[str, Any]) -> Iterator[Subject]:
    """Yield `json.dumps` of the recommendation alone."""
    recommendation = fields["recommendation"]
    yield Subject(lambda: json.dumps(recommendation))


@contextmanager
def queue_handler(fields: dict[str, Any]) -> Iterator[Subject]:
    """Yield a log call with the recommendation as its argument, through a `QueueHandler` to a listener."""
    recommendation = fields["recommendation"]
    records: queue.Queue[logging.LogRecord] = queue.Queue()
    listener = QueueListener(records, logging.NullHandler())
    handler = QueueHandler(records)
    logger = logging.getLogger("benchmark")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.addHandler(handler)
    listener.start()
    yield Subject(lambda: logger.info("%s", recommendation), records.join)
    listener.stop()
    logger.removeHandler(handler)
