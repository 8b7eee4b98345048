"""What reading cost, in words."""

from recommendation_cli.cost.prices import Prices
from recommendation_shared.wording import plural


def read_cost(items: int, units: float) -> str:
    """Return how many recommendations were read, and the read units and dollars that DynamoDB bills for it."""
    usd = units / 1e6 * Prices.shipped().usd("dynamodb", "read_unit_million")
    return f"read {plural(items, 'recommendation')}: {units:,.1f} read units (${usd:.6f} on demand)"
