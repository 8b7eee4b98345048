"""An index that answers a few items a page, and refuses what DynamoDB refuses of a period."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from recommendation_shared.envelope.identity import EPOCH, sort_key
from tests.support.fakes.recommendation_table import IndexedDynamoDb, Item


def paged_items(agent: str, seconds: Iterable[int]) -> list[Item]:
    """Return an agent's items, completed that many seconds after the epoch; several may share a moment."""
    seen: Counter[int] = Counter()
    items = []
    for second in seconds:
        copy = f"-{seen[second]}" if seen[second] else ""
        seen[second] += 1
        at = sort_key(EPOCH + timedelta(seconds=second))
        key = {"recommendationId": {"S": f"{agent}-{second}{copy}"}, "contentDigest": {"S": "0" * 64}}
        items.append({**key, "agentType": {"S": agent}, "timestamp": {"S": at}})
    return items


class PagedIndex(IndexedDynamoDb):
    """The newest first, `page` items at a time, for half a unit each."""

    def __init__(self, items: Iterable[Item], *, page: int) -> None:
        super().__init__(sorted(items, key=_place, reverse=True))
        self._page = page

    def query(self, **parameters: Any) -> Mapping[str, Any]:
        """Return the page that follows the start key, within the period."""
        values = parameters["ExpressionAttributeValues"]
        since, until = values.get(":since", {"S": ""})["S"], values.get(":until", {"S": "~"})["S"]
        assert since <= until, "the BETWEEN operator requires the upper bound to be at least the lower one"
        start = parameters.get("ExclusiveStartKey")
        if start is not None:
            assert since <= start["timestamp"]["S"] <= until, "the starting key is outside the query's boundaries"
        found = [item for item in super().query(**parameters)["Items"] if start is None or _place(item) < _place(start)]
        page = found[: self._page]
        answer: dict[str, Any] = {"Items": page, "ConsumedCapacity": {"CapacityUnits": max(1, len(page)) / 2}}
        if len(found) > len(page):
            names = ("recommendationId", "agentType", "timestamp")
            answer["LastEvaluatedKey"] = {name: page[-1][name] for name in names}
        return answer


def _place(item: Mapping[str, Any]) -> tuple[str, str]:
    return item["timestamp"]["S"], item["recommendationId"]["S"]
