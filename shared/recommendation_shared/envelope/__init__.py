"""The envelope: one recommendation on its way from the executor to the table."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from recommendation_shared.envelope.model import Envelope

__all__ = ["Envelope"]


def __getattr__(name: str) -> object:
    """Import the pydantic model on first use; the producer and the consumer never use it."""
    if name == "Envelope":
        from recommendation_shared.envelope.model import Envelope  # noqa: PLC0415

        return Envelope
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
