"""What reading cost, in words."""

from typing import Final

from recommendation_cli.cost.prices import Prices
from recommendation_shared.wording import plural

_LEAST: Final = 0.000001  # dollars; less is not worth more digits


def read_cost(items: int, units: float) -> str:
    """Return how many recommendations were read, and what DynamoDB bills for it."""
    return f"read {plural(items, 'recommendation')}: {read_price(units)}"


def read_price(units: float) -> str:
    """Return read units and their price in dollars."""
    usd = units / 1e6 * Prices.shipped().usd("dynamodb", "read_unit_million")
    price = f"${usd:.6f}" if usd >= _LEAST or not usd else f"under ${_LEAST:.6f}"
    return f"{units:,.1f} read units ({price} on demand)"
