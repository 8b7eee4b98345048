"""The incident's recommendations in the table."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from recommendation_cli.aws.connection import Target, WritableDynamoDb
from recommendation_cli.aws.table_calls import meets_condition, queried
from recommendation_cli.erasure.errors import explained_table
from recommendation_cli.erasure.places import Erased, Found
from recommendation_cli.erasure.tombstone import Tombstone
from recommendation_cli.screen.progress import Report
from recommendation_cli.search.queries import SORT_KEY, Search, get_item
from recommendation_shared.envelope.fields import DIGEST, ERASURE
from recommendation_shared.item.attribute_value import AttributeValue
from recommendation_shared.item.encoding import PARTITION_KEY
from recommendation_shared.item.holds import Erasure, fitting_erasure
from recommendation_shared.item.marks import ErasedRecord, hashed
from recommendation_shared.wording import plural

Item = Mapping[str, AttributeValue]

_CHUNK: Final = 25  # items counted in the mark by one write
_ATTEMPTS: Final = 5  # at an item that a consumer keeps writing meanwhile
_DAY: Final = len("2026-01-31")


class Recommendations:
    """The items of an incident, also those that have expired.

    Each is announced by an attribute before it is deleted, so that the keeper makes no dead letter of it.
    """

    name: Final = "recommendations"

    def __init__(self, client: WritableDynamoDb, target: Target, incident_id: str) -> None:
        self._client = client
        self._target = target
        self._search = Search("incidentId", incident_id, oldest_first=True)

    def find(self, report: Report) -> Found:
        """Count the items."""
        count, days = 0, set[str]()
        for keys in self._pages():
            count += len(keys)
            days |= {key[SORT_KEY]["S"][:_DAY] for key in keys}
            report(f"{plural(count, 'recommendation')} found", count, None)
        return Found(count, f"in {self._target}", frozenset(days))

    def sweep(self, tombstone: Tombstone, report: Report) -> Erased:
        """Delete the items, the oldest first."""
        erased = left = 0
        for keys in self._pages():
            for start in range(0, len(keys), _CHUNK):
                with explained_table(self._target):
                    items = list(filter(None, (self._get(key) for key in keys[start : start + _CHUNK])))
                if items:
                    new = [_record(item) for item in items if ERASURE not in item]
                    tombstone.add(self.name, len(new), new)
                with explained_table(self._target):
                    for item in items:
                        is_gone = self._erase(item, tombstone.erasure)
                        erased += is_gone
                        left += not is_gone
                        report(f"erased {plural(erased, 'recommendation')}", erased, None)
        if not left:
            return Erased(erased)
        return Erased(
            erased, [f"{plural(left, 'recommendation')} that a consumer stored again each time: run this again."]
        )

    def unreachable(self) -> Sequence[str]:
        """Return nothing: what the table holds can be deleted."""
        return ()

    def _pages(self) -> Iterator[Sequence[Item]]:
        """Yield the keys that the index has, page by page; an index may still have some that the table has not."""
        parameters = self._search.parameters()
        parameters["ProjectionExpression"] = f"{PARTITION_KEY}, #sort"  # keys, which a compact index has too
        parameters["ExpressionAttributeNames"] |= {"#sort": SORT_KEY}
        with explained_table(self._target):
            yield from queried(self._client, self._target.table, parameters)

    def _get(self, key: Item) -> Item | None:
        return get_item(self._client, self._target.table, key[PARTITION_KEY]["S"])

    def _erase(self, item: Item, erasure: Erasure) -> bool:
        """Announce and delete an item; return whether it is gone. A consumer may replace it between the two."""
        current: Item | None = item
        for _ in range(_ATTEMPTS):
            if current is None:
                return True
            attribute = fitting_erasure(current, erasure)
            # Without room for the attribute, the keeper makes a dead letter of it, which the next sweep deletes.
            if (attribute is None or self._announce(current, attribute)) and self._delete(
                current, is_announced=attribute is not None
            ):
                return True
            current = self._get(current)
        return False

    def _announce(self, item: Item, attribute: AttributeValue) -> bool:
        return meets_condition(
            self._client.update_item,
            **self._place(item),
            UpdateExpression=f"SET {ERASURE} = :erasure",
            # Without it, an item that was just deleted would come back as its key.
            ConditionExpression=f"attribute_exists({PARTITION_KEY})",
            ExpressionAttributeValues={":erasure": attribute},
        )

    def _delete(self, item: Item, *, is_announced: bool) -> bool:
        condition = {"ConditionExpression": f"attribute_exists({ERASURE})"} if is_announced else {}
        return meets_condition(self._client.delete_item, **self._place(item), **condition)

    def _place(self, item: Item) -> dict[str, Any]:
        return {"TableName": self._target.table, "Key": {PARTITION_KEY: item[PARTITION_KEY]}}


def _record(item: Item) -> ErasedRecord:
    return ErasedRecord(hashed(item[PARTITION_KEY]["S"]), item.get(DIGEST, {}).get("S", ""))
