"""The pipeline's limits, each with its source, and how many recommendations a second each lets through."""

from dataclasses import dataclass
from typing import Final

# Lambda Developer Guide, "Configuring scaling behavior for SQS event source mappings": five concurrent batches at
# first, up to 300 more each minute, at most 1,000. (Older posts say 60 a minute, which held until November 2023.)
FIRST_BATCHES: Final = 5
MORE_BATCHES: Final = 300 / 60  # each second
MOST_BATCHES: Final = 1_000
ACCOUNT_CONCURRENCY: Final = 1_000  # Lambda quotas: the default for all functions of an account in a region together
IN_FLIGHT: Final = 120_000  # messages of a standard queue (SQS Developer Guide, "Standard queue quotas")

# As in infra/template.yaml; a test compares them.
BATCH_SIZE: Final = 1_000
WINDOW: Final = 2.0  # seconds
MAXIMUM_CONCURRENCY: Final = 10
VISIBILITY: Final = 192.0  # seconds
RECEIVES: Final = 225
DEADLINE: Final = 25.0  # seconds, of 30, until the consumer stops writing and returns the rest as batch item failures

# Lambda quotas, "Invocation payload": 6 MB. A record is its attributes, and its body as a JSON string within JSON.
INVOCATION_BYTES: Final = 6 * 1024 * 1024
ESCAPED: Final = 1.25  # bytes in the payload for each byte of an envelope
RECORD_BYTES: Final = 900  # attributes, receipt handle, ARN

# DynamoDB Developer Guide: "Best practices for designing and using partition keys" (1,000 write units a second for a
# partition), "Understanding DynamoDB warm throughput" (4,000 for a new on-demand table and for each of its indexes;
# twice the previous peak within 30 minutes), "Quotas" (by default 40,000 write units a second for a table or index).
PARTITION_UNITS: Final = 1_000
NEW_TABLE_UNITS: Final = 4_000
DOUBLING: Final = 1_800.0  # seconds
TABLE_QUOTA: Final = 40_000

# Deliberately pessimistic: a table and its indexes may burst for a while, and adaptive capacity may split a partition.
# Splitting does not help here, because the sort key only grows: every new item lands on the same side of the split
# (AWS Database Blog, "Scaling DynamoDB", part 3).
AGENT_TYPES: Final = 7


@dataclass(frozen=True, slots=True)
class Deployment:
    """How the pipeline is deployed, and what a recommendation costs it: seconds, and write units."""

    envelope_bytes: int
    table_units: float
    index_units: float  # of each index
    record_seconds: float  # of function time, for each recommendation
    invocation_seconds: float = 0.02  # more for each invocation: its requests in flight
    shards: int = 1  # of each agent type in agentType-timestamp-index
    maximum_concurrency: int = MAXIMUM_CONCURRENCY
    warm_units: float = NEW_TABLE_UNITS
    window: float = WINDOW

    @property
    def records(self) -> int:
        """The largest number of records in an invocation."""
        return min(BATCH_SIZE, int(INVOCATION_BYTES / (self.envelope_bytes * ESCAPED + RECORD_BYTES)))

    @property
    def batches(self) -> int:
        """The largest number of batches that the event source mapping runs at once."""
        return min(self.maximum_concurrency, MOST_BATCHES, ACCOUNT_CONCURRENCY)

    def capacities(self, seconds: float) -> dict[str, float]:
        """Return the recommendations a second that each limit lets through, `seconds` after the load began."""
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
        """Return how many recommendations a second DynamoDB accepts, `seconds` after the load began."""
        capacities = self.capacities(seconds)
        del capacities["the mapping's concurrency"]
        return min(capacities.values())
