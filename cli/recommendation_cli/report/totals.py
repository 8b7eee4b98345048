"""What executions took together: agents' time, tokens and US dollars, as far as they were recorded."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from recommendation_cli.facts import Number, facts
from recommendation_cli.timeline.executions import Execution, duration_text
from recommendation_shared.wording import plural


@dataclass(frozen=True)
class Totals:
    """Sums over recommendations; None where none of them recorded the figure."""

    recommendations: int
    failed: int
    agents_time: timedelta | None
    tokens: int | None
    dollars: Number | None

    @classmethod
    def of(cls, executions: Iterable[Execution]) -> "Totals":
        """Add up what the executions recorded."""
        moments = [moment for execution in executions for moment in execution.moments]
        recorded = [facts(moment.document) for moment in moments]
        times = [moment.duration for moment in moments if moment.duration is not None]
        tokens = [each.tokens for each in recorded if each.tokens is not None]
        dollars = [each.cost for each in recorded if each.cost is not None]
        return cls(
            recommendations=len(moments),
            failed=sum(moment.failed for moment in moments),
            agents_time=sum(times, timedelta()) if times else None,
            tokens=sum(tokens) if tokens else None,
            dollars=sum(dollars, Decimal()) if dollars else None,
        )

    def text(self) -> str:
        """Return dollars, tokens and agents' time in words; those not recorded are left out."""
        parts = (
            "" if self.dollars is None else money(self.dollars),
            "" if self.tokens is None else tokens_text(self.tokens),
            "" if self.agents_time is None else f"{duration_text(self.agents_time)} of agents' time",
        )
        return ", ".join(filter(None, parts)) or "not recorded"


def money(dollars: Number) -> str:
    """Return US dollars with two decimals, or with as many as show a small amount."""
    if dollars == 0 or dollars >= 1:
        return f"${dollars:,.2f}"
    return f"${dollars:.4f}" if dollars >= Decimal("0.0001") else "below $0.0001"


def tokens_text(count: int) -> str:
    """Return a number of tokens in words."""
    return plural(count, "token")
