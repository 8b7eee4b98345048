"""What the contract's modules load: importing pydantic costs more than most commands do."""

import subprocess
import sys

import pytest

HEAVY = ("pydantic", "pydantic_core", "asyncio")


@pytest.mark.parametrize("module", ["item.encoding", "settings", "item.trim", "envelope.vocabulary"])
def test_reading_items_loads_nothing_heavy(module: str) -> None:
    """`recs show` decodes an item and verifies its digest with the standard library and orjson."""
    program = (
        f"import sys, recommendation_shared.{module}\n"
        f"loaded = [name for name in {HEAVY} if name in sys.modules]\n"
        "sys.exit(f'imported: {loaded}' if loaded else 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)  # noqa: S603 - ourselves
    assert done.returncode == 0, done.stderr
