"""The deployments that are simulated: the shipped one on a new and on a warm table, and each remedy."""

from dataclasses import replace
from typing import Final

from benchmarks.scaling.limits import TABLE_QUOTA, Deployment
from recommendation_cli.cost.bill import MEMORY_MB
from recommendation_cli.cost.profile import Profile

SIZE: Final = 5 * 1024  # bytes of an envelope
SHARDS: Final = 8
_VCPU_MB: Final = 1769  # memory that gives one full vCPU (Lambda Developer Guide)
_WRITE_MS: Final = 10 / 25 / 8  # per record; assumes 10 ms for a BatchWriteItem of 25, with eight in flight


def deployments(size: int = SIZE) -> dict[str, Deployment]:
    """Return the deployments by name, for envelopes of `size` bytes, with the measured write units."""
    profile = Profile.shipped()
    usage = profile.recommendation(size)
    # The CPU time was measured for a full batch of 5 KB envelopes, and is assumed to grow with their bytes.
    seconds = (profile.batch_cpu_ms * size / SIZE * _VCPU_MB / MEMORY_MB + _WRITE_MS) / 1000
    new = Deployment(size, usage.table_units, usage.index_units / 3, seconds)
    warm = replace(new, warm_units=TABLE_QUOTA)
    compact = replace(warm, index_units=usage.compact_units / 3)
    return {
        "new table": new,
        "warm table": warm,
        "warm, compact": compact,
        f"warm, {SHARDS} shards": replace(warm, shards=SHARDS),
        f"warm, compact, {SHARDS} shards": replace(compact, shards=SHARDS),
        "new table, MaximumConcurrency 1,000": replace(new, maximum_concurrency=1_000),
    }
