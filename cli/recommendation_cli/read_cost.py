"""What reading cost, in words."""

from recommendation_cli.cost.prices import Prices
from recommendation_shared.wording import plural


def read_cost(items: int, units: float) -> str:
    """Return how many recommendations were read, and what DynamoDB bills for it."""
    return f"read {plural(items, 'recommendation')}: {read_price(units)}"


def read_price(units: float) -> str:
    """Return read units and their price in dollars."""
    usd = units / 1e6 * Prices.shipped().usd("dynamodb", "read_unit_million")
    return f"{units:,.1f} read units (${usd:.6f} on demand)"
