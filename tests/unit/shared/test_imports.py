"""Modules that must not load anything heavy: importing pydantic takes longer than most commands run."""

import subprocess
import sys

import pytest

HEAVY = ("pydantic", "pydantic_core", "asyncio")


@pytest.mark.parametrize("module", ["item.encoding", "settings", "item.trim", "envelope.vocabulary"])
def test_reading_items_does_not_import_heavy_modules(module: str) -> None:
    """`recs show` decodes an item and verifies its digest with only the standard library and orjson."""
    program = (
        f"import sys, recommendation_shared.{module}\n"
        f"loaded = [name for name in {HEAVY} if name in sys.modules]\n"
        "sys.exit(f'imported: {loaded}' if loaded else 0)"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
