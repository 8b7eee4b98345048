"""The recommendations of one incident: which of them a hold or a release must change, and changing them."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol

from recommendation_cli.aws.connection import WritableDynamoDb
from recommendation_cli.aws.table_calls import meets_condition
from recommendation_cli.search.queries import Search, pages
from recommendation_shared.envelope.fields import HOLD, RULES, TTL
from recommendation_shared.envelope.identity import expiry
from recommendation_shared.item.attribute_value import AttributeValue
from recommendation_shared.item.encoding import PARTITION_KEY, decode_item
from recommendation_shared.item.holds import Hold, fitting_hold

Item = Mapping[str, AttributeValue]


class Wanted(NamedTuple):
    """The values that an item's `hold` and `ttl` should have; None for an attribute that it should not have."""

    hold: AttributeValue | None
    ttl: AttributeValue | None


class Aim(Protocol):
    """What a command wants of each item."""

    def __call__(self, item: Item, /) -> Wanted | None:
        """Return what the item should have, or None if that cannot be derived from it."""


def held_by(hold: Hold) -> Aim:
    """Return the aim of a hold."""
    return lambda item: Wanted(fitting_hold(item, hold), None)


def released(item: Item) -> Wanted | None:
    """Return what an item has that is not held: no `hold`, and the `ttl` that follows from its content.

    An item without a hold stays as it is.
    """
    if HOLD not in item:
        return Wanted(None, item.get(TTL))
    fields = decode_item(item)
    try:
        timestamp, retention = (RULES[name](fields.get(name)) for name in ("timestamp", "retention"))
    except ValueError:  # not an item of the consumer's
        return None
    ends = expiry(timestamp, retention)
    return Wanted(None, None if ends is None else {"N": str(ends)})


class Records:
    """An incident's recommendations in the table. Every method raises botocore's errors."""

    def __init__(self, client: WritableDynamoDb, table: str, incident_id: str) -> None:
        self._client = client
        self._table = table
        self._search = Search("incidentId", incident_id, oldest_first=True, attributes=(PARTITION_KEY,))

    def __iter__(self) -> Iterator[Item]:
        """Yield whole items, the oldest first, read from the table itself, since an index may lag it."""
        for page in pages(self._client, self._table, self._search):
            yield from page.items

    def change(self, item: Item, wanted: Wanted) -> bool:
        """Give an item what it should have; return False if a consumer wrote it in the meantime.

        Nothing but `hold` and `ttl` is named, because the curator's role may name nothing else.
        """
        return meets_condition(
            self._client.update_item,
            TableName=self._table,
            Key={PARTITION_KEY: item[PARTITION_KEY]},
            **_update(item, wanted),
        )


def is_as(item: Item, wanted: Wanted) -> bool:
    """Return whether an item has what it should have."""
    return (item.get(HOLD), item.get(TTL)) == wanted


def _update(item: Item, wanted: Wanted) -> dict[str, Any]:
    values = {name: value for name, value in zip((HOLD, TTL), wanted, strict=True) if value is not None}
    unwanted = [name for name in (HOLD, TTL) if name not in values]
    expression = [f"SET {', '.join(f'#{name} = :new_{name}' for name in values)}"] if values else []
    expression += [f"REMOVE {', '.join(f'#{name}' for name in unwanted)}"] if unwanted else []
    # Without the first condition, an item that TTL has just deleted would come back as its key.
    conditions = [f"attribute_exists({PARTITION_KEY})", f"attribute_{'' if HOLD in item else 'not_'}exists(#{HOLD})"]
    conditions.append(f"#{TTL} = :old_{TTL}" if TTL in item else f"attribute_not_exists(#{TTL})")
    values = {f":new_{name}": value for name, value in values.items()}
    if TTL in item:
        values[f":old_{TTL}"] = item[TTL]
    return {
        "UpdateExpression": " ".join(expression),
        "ConditionExpression": " AND ".join(conditions),
        "ExpressionAttributeNames": {f"#{name}": name for name in (HOLD, TTL)},
        "ReturnValues": "NONE",
        **({"ExpressionAttributeValues": values} if values else {}),
    }
