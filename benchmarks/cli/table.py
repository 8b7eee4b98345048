"""What the stub does of DynamoDB: GetItem, and Query by index with a period, pages of a megabyte and projections."""

import sys
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final

from benchmarks.cli.generated_items import Item
from recommendation_shared.item.encoding import PARTITION_KEY, item_digest
from recommendation_shared.item.size import item_size

PAGE_BYTES: Final = 1024 * 1024  # Amazon DynamoDB Developer Guide, "Paginating table query results"
_SORT_KEY: Final = "timestamp"
_INDEXES: Final = {f"{key}-{_SORT_KEY}-index": key for key in ("incidentId", "agentType")}
_LAST: Final = "\U0010ffff"  # after every sort key


class Table:
    """Items under their ID and in two indexes.

    They must come oldest first, no two of a partition at the same moment, and those of an agent in one size.
    """

    def __init__(self, items: Iterable[Item]) -> None:
        self._items: dict[str, Item] = {}
        self._partitions: defaultdict[tuple[str, str], list[Item]] = defaultdict(list)
        self._sizes: dict[str, int] = {}
        for item in items:
            self._items[item[PARTITION_KEY]["S"]] = item
            for key in _INDEXES.values():
                self._partitions[key, item[key]["S"]].append(item)
            if item["agentType"]["S"] not in self._sizes:
                self._sizes[item["agentType"]["S"]] = item_size(item)

    def get_item(self, request: dict[str, Any]) -> dict[str, Any]:
        """Answer a GetItem request."""
        item = self._items.get(request["Key"][PARTITION_KEY]["S"])  # None: the incident has no mark
        return {} if item is None else {"Item": {**item, "contentDigest": {"S": item_digest(item)}}}

    def query(self, request: dict[str, Any]) -> dict[str, Any]:
        """Answer a Query request whose key is `:key` or `:v`, between `:since` and `:until`, both inclusive.

        Raises ValueError if the start key is outside that period, which DynamoDB rejects too.
        """
        if request.get("IndexName") is None:  # of the reviews table, by incident: nobody has reviewed anything
            return {"Items": [], "Count": 0, "ScannedCount": 0}
        key = _INDEXES[request["IndexName"]]
        found = self._found(key, request)
        page: list[Item] = []
        size = 0
        for item in found[: request.get("Limit", sys.maxsize)]:
            page.append(item)
            size += self._sizes[item["agentType"]["S"]]
            if size >= PAGE_BYTES:
                break
        answer: dict[str, Any] = {"Items": _shown(page, request), "Count": len(page), "ScannedCount": len(page)}
        answer["ConsumedCapacity"] = {"TableName": request["TableName"], "CapacityUnits": size / 8192}
        if len(page) < len(found):
            answer["LastEvaluatedKey"] = {name: page[-1][name] for name in (PARTITION_KEY, key, _SORT_KEY)}
        return answer

    def _found(self, key: str, request: dict[str, Any]) -> list[Item]:
        """Return what is left of a partition within the period, after the start key and in the request's order."""
        values = {name: value["S"] for name, value in request["ExpressionAttributeValues"].items()}
        since, until = values.get(":since", ""), values.get(":until", _LAST)
        partition = self._partitions.get((key, values.get(":key") or values[":v"]), [])
        first, end = bisect_left(partition, since, key=_moment), bisect_right(partition, until, key=_moment)
        forward = request.get("ScanIndexForward", True)
        if (start := request.get("ExclusiveStartKey")) is not None:
            after = _moment(start)
            if not since <= after <= until:
                message = "The provided starting key is outside query boundaries based on provided conditions"
                raise ValueError(message)
            if forward:
                first = bisect_right(partition, after, key=_moment)
            else:
                end = bisect_left(partition, after, key=_moment)
        found = partition[first:end]
        return found if forward else found[::-1]


def _moment(item: Item) -> str:
    moment: str = item[_SORT_KEY]["S"]
    return moment


def _shown(page: list[Item], request: dict[str, Any]) -> list[Item]:
    names = request.get("ExpressionAttributeNames", {})
    paths = [
        [names.get(part, part) for part in path.strip().split(".")]
        for path in request.get("ProjectionExpression", "").split(",")
        if path
    ]
    return [_projected(item, paths) for item in page] if paths else page


def _projected(item: Item, paths: list[list[str]]) -> Item:
    result: Item = {}
    for path in paths:
        source: Any = item
        target = result
        for part in path[:-1]:
            source = source.get(part, {}).get("M", {})
            if source:
                target = target.setdefault(part, {"M": {}})["M"]
        if path[-1] in source:
            target[path[-1]] = source[path[-1]]
    return result
