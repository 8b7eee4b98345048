"""A table in memory that evaluates the conditions and updates that operators' commands send, as DynamoDB does."""

import copy
import re
from collections.abc import Callable, Mapping
from typing import Any

from recommendation_shared.item.encoding import PARTITION_KEY
from tests.support.fakes.aws import client_error

Item = dict[str, Any]


class ConditionalTable:
    """The calls of botocore's client, on `items` by key, which others may share. One page has at most `page` items.

    `before_write` is called before each write takes effect, with its number from 1, and may raise or change items;
    `changes` are the old and new images of each write that changed something, as the table's stream has them.
    """

    def __init__(
        self,
        items: dict[str, Item] | None = None,
        *,
        page: int = 100,
        before_write: Callable[[int], None] = lambda _number: None,
    ) -> None:
        self.items = {} if items is None else items
        self.changes: list[tuple[Item | None, Item | None]] = []
        self.named: list[set[str]] = []  # the attributes that each UpdateItem names
        self.writes = 0
        self._page = page
        self._before_write = before_write

    def query(self, **parameters: Any) -> Mapping[str, Any]:
        """Return a page of an index; it is sorted by time, then by key."""
        names, values = parameters["ExpressionAttributeNames"], parameters["ExpressionAttributeValues"]
        key = names["#key"]
        items = [item for item in self.items.values() if item.get(key) == values[":key"]]
        items.sort(key=lambda item: (item["timestamp"]["S"], item[PARTITION_KEY]["S"]))
        after = parameters.get("ExclusiveStartKey")
        if after is not None:
            last = (after["timestamp"]["S"], after[PARTITION_KEY]["S"])
            items = [item for item in items if (item["timestamp"]["S"], item[PARTITION_KEY]["S"]) > last]
        page = items[: self._page]
        answer: dict[str, Any] = {"Items": copy.deepcopy(page)}
        if projected := parameters.get("ProjectionExpression"):
            wanted = {_resolved(part, names) for part in projected.split(", ")}
            answer["Items"] = [{name: item[name] for name in item.keys() & wanted} for item in answer["Items"]]
        if len(items) > len(page):
            answer["LastEvaluatedKey"] = {name: page[-1][name] for name in (PARTITION_KEY, key, "timestamp")}
        return answer

    def get_item(self, **parameters: Any) -> Mapping[str, Any]:
        """Return the item with that key."""
        item = self.items.get(parameters["Key"][PARTITION_KEY]["S"])
        return {} if item is None else {"Item": copy.deepcopy(item)}

    def batch_get_item(self, **parameters: Any) -> Mapping[str, Any]:
        """Return the items with those keys."""
        ((table, request),) = parameters["RequestItems"].items()
        found = [self.get_item(Key=key).get("Item") for key in request["Keys"]]
        return {"Responses": {table: [item for item in found if item is not None]}, "UnprocessedKeys": {}}

    def put_item(self, **parameters: Any) -> Mapping[str, Any]:
        """Store an item, if the condition holds."""
        item = copy.deepcopy(parameters["Item"])
        return self._write(item[PARTITION_KEY]["S"], parameters, lambda _old: item)

    def update_item(self, **parameters: Any) -> Mapping[str, Any]:
        """Set and remove attributes, if the condition holds."""
        names = parameters.get("ExpressionAttributeNames", {})
        self.named.append({*names.values(), *parameters["Key"]})

        def updated(old: Item) -> Item:
            new = {**parameters["Key"], **old}
            for verb, clause in re.findall(r"(SET|REMOVE) (.*?)(?= SET | REMOVE |$)", parameters["UpdateExpression"]):
                for action in clause.split(", "):
                    name, _, value = action.partition(" = ")
                    if verb == "SET":
                        new[_resolved(name, names)] = parameters["ExpressionAttributeValues"][value]
                    else:
                        new.pop(_resolved(name, names), None)
            return new

        return self._write(parameters["Key"][PARTITION_KEY]["S"], parameters, updated)

    def delete_item(self, **parameters: Any) -> Mapping[str, Any]:
        """Delete an item, if the condition holds."""
        return self._write(parameters["Key"][PARTITION_KEY]["S"], parameters, lambda _old: None)

    def _write(self, key: str, parameters: Mapping[str, Any], change: Callable[[Item], Item | None]) -> dict[str, Any]:
        self.writes += 1
        self._before_write(self.writes)
        old = self.items.get(key)
        if not _holds(parameters, old or {}):
            raise client_error("ConditionalCheckFailedException")
        new = change(dict(old or {}))
        if new is None:
            self.items.pop(key, None)
        else:
            self.items[key] = new
        if old != new:
            self.changes.append((old, new))
        return {}


def _holds(parameters: Mapping[str, Any], item: Item) -> bool:
    """Evaluate a condition of the forms `attribute_exists(a) AND attribute_not_exists(#b) AND #c.#d = :e`.

    Also `size(#f) = :g`, of a list or a map.
    """
    names, values = parameters.get("ExpressionAttributeNames", {}), parameters.get("ExpressionAttributeValues", {})
    condition = parameters.get("ConditionExpression")
    for part in condition.split(" AND ") if condition else []:
        if (function := re.fullmatch(r"attribute_(not_)?exists\((.+)\)", part)) is not None:
            holds = (_resolved(function[2], names) in item) != bool(function[1])
        else:
            operand, value = part.split(" = ")
            holds = _operand(operand, names, item) == values[value]
        if not holds:
            return False
    return True


def _operand(operand: str, names: Mapping[str, str], item: Item) -> Any:
    """Return a value in DynamoDB JSON, or None."""
    if (size := re.fullmatch(r"size\((.+)\)", operand)) is not None:
        value = item.get(_resolved(size[1], names))
        return None if value is None else {"N": str(len(value.get("L", value.get("M"))))}
    name, *inner = (_resolved(part, names) for part in operand.split("."))
    value = item.get(name)
    for part in inner:
        value = None if value is None else value["M"].get(part)
    return value


def _resolved(name: str, names: Mapping[str, str]) -> str:
    return names[name] if name.startswith("#") else name
