"""Modules that must not load anything heavy: importing pydantic takes longer than most commands run."""

import subprocess
import sys

import pytest

HEAVY = ("pydantic", "pydantic_core", "asyncio")
MODEL = ("pydantic", "recommendation_shared.envelope.model")


def _loaded_by(modules: str, names: tuple[str, ...]) -> str:
    program = (
        f"import sys, {modules}\n"
        f"loaded = [name for name in {names} if name in sys.modules]\n"
        "sys.exit(f'imported: {loaded}' if loaded else 0)"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    return result.stderr.strip()


@pytest.mark.parametrize("module", ["item.encoding", "settings", "item.trim", "envelope.vocabulary"])
def test_reading_items_does_not_import_heavy_modules(module: str) -> None:
    """`recs show` decodes an item and verifies its digest with only the standard library and orjson."""
    assert not _loaded_by(f"recommendation_shared.{module}", HEAVY)


@pytest.mark.parametrize(
    "modules",
    [
        "recommendation_producer, recommendation_producer.langgraph",
        "recommendation_consumer.handler",
        "recommendation_shared.envelope",
    ],
)
def test_neither_producer_nor_consumer_imports_the_pydantic_model(modules: str) -> None:
    """It is the published form of the contract; they work on plain dictionaries."""
    assert not _loaded_by(modules, MODEL)


def test_the_model_is_imported_when_somebody_asks_for_it() -> None:
    """Otherwise the test above would prove nothing."""
    assert "recommendation_shared.envelope.model" in _loaded_by("recommendation_shared.envelope.model", MODEL)
