"""What bounds the pipeline, each number with its source, and how many recommendations a second each bound lets by."""

from dataclasses import dataclass
from typing import Final

# Lambda Developer Guide, "Configuring scaling behavior for SQS event source mappings": five concurrent batches at
# first, up to 300 more a minute, at most 1,000. (Before November 2023 it was 60 a minute, as older posts still say.)
FIRST_BATCHES: Final = 5
MORE_BATCHES: Final = 300 / 60  # a second
MOST_BATCHES: Final = 1_000
ACCOUNT_CONCURRENCY: Final = 1_000  # Lambda quotas: of all functions of an account and region together, by default
IN_FLIGHT: Final = 120_000  # messages of a standard queue (SQS Developer Guide, "Standard queue quotas")

# infra/template.yaml, held to it by a test.
BATCH_SIZE: Final = 1_000
WINDOW: Final = 2.0  # seconds
MAXIMUM_CONCURRENCY: Final = 10
VISIBILITY: Final = 192.0  # seconds
RECEIVES: Final = 5
DEADLINE: Final = 25.0  # seconds of 30 until the consumer stops writing and names what is left

# Lambda quotas, "Invocation payload": 6 MB. A record is its body as JSON text within JSON, and its attributes.
INVOCATION_BYTES: Final = 6 * 1024 * 1024
ESCAPED: Final = 1.25  # of an envelope's bytes
RECORD_BYTES: Final = 900  # attributes, receipt handle, ARN

# DynamoDB Developer Guide: "Best practices for designing and using partition keys" (1,000 write units a second of a
# partition), "Understanding DynamoDB warm throughput" (a new on-demand table and each of its indexes: 4,000; double
# the previous peak within 30 minutes), "Quotas" (40,000 write units a second of a table or index, by default).
PARTITION_UNITS: Final = 1_000
NEW_TABLE_UNITS: Final = 4_000
DOUBLING: Final = 1_800.0  # seconds
TABLE_QUOTA: Final = 40_000

# Cautious on purpose: a table and its indexes may burst for a while, and adaptive capacity may split a partition. But
# not one whose sort key only grows: all that is new lands on the same side of every split (AWS Database Blog,
# "Scaling DynamoDB", part 3).
AGENT_TYPES: Final = 7


@dataclass(frozen=True, slots=True)
class Setting:
    """How the pipeline is deployed and what a recommendation costs it; times in seconds, units by recommendation."""

    envelope_bytes: int
    table_units: float
    index_units: float  # of each index
    record_seconds: float  # of the function, for each recommendation
    invocation_seconds: float = 0.02  # for each invocation beside: requests under way
    shards: int = 1  # of each agent type in agentType-timestamp-index
    maximum_concurrency: int = MAXIMUM_CONCURRENCY
    warm_units: float = NEW_TABLE_UNITS
    window: float = WINDOW

    @property
    def records(self) -> int:
        """How many records an invocation takes at most."""
        return min(BATCH_SIZE, int(INVOCATION_BYTES / (self.envelope_bytes * ESCAPED + RECORD_BYTES)))

    @property
    def batches(self) -> int:
        """How many batches the mapping has under way at most."""
        return min(self.maximum_concurrency, MOST_BATCHES, ACCOUNT_CONCURRENCY)

    def capacities(self, seconds: float) -> dict[str, float]:
        """Return the recommendations a second that each bound lets by, `seconds` after the load began."""
        units = min(self.warm_units * 2 ** (seconds / DOUBLING), TABLE_QUOTA)
        per_batch = self.records / (self.invocation_seconds + self.records * self.record_seconds)
        reached = min(self.batches, FIRST_BATCHES + MORE_BATCHES * seconds)
        return {
            "an agent type's index partition": AGENT_TYPES * self.shards * PARTITION_UNITS / self.index_units,
            "the table's write units": units / self.table_units,
            "an index's write units": units / self.index_units,
            "the mapping's concurrency": reached * per_batch,
        }

    def writes(self, seconds: float) -> float:
        """Return how many recommendations a second DynamoDB takes."""
        found = self.capacities(seconds)
        del found["the mapping's concurrency"]
        return min(found.values())
