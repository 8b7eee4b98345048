"""A fresh measurement agrees with the profile that `recs cost` computes with, except for CPU times."""

import pytest

from benchmarks.usage.measurement import measure
from recommendation_cli.cost.profile import Profile

EXACT = (
    "item_bytes",
    "compact_index_bytes",
    "send_requests",
    "receive_requests",
    "delete_requests",
    "write_calls",
    "table_write_units",
    "index_write_units",
    "compact_index_write_units",
    "metrics",
)


@pytest.mark.parametrize("size", [5 * 1024, 100 * 1024])
def test_shipped_profile_is_what_the_code_uses(moto_server: str, dynalite: str, size: int) -> None:
    """If it differs: `python -m benchmarks.usage --write`, and update docs/cost.md. The sizes of logs vary slightly."""
    shipped = next(row for row in Profile.shipped().rows if row["envelope_bytes"] == size)
    fresh = measure(size, moto_server, dynalite, invocations=2)
    assert {name: fresh[name] for name in EXACT} == {name: shipped[name] for name in EXACT}
    for name in ("consumer_log_bytes", "executor_log_bytes"):
        assert fresh[name] == pytest.approx(shipped[name], rel=0.03)
    assert 0 < fresh["warm_cpu_ms"] < fresh["cold_cpu_ms"]
