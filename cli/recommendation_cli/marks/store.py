"""Reading and replacing an incident's mark."""

from collections.abc import Mapping
from typing import Any, Final

import click

from recommendation_cli.aws.connection import Target, WritableDynamoDb
from recommendation_cli.marks.errors import LeftError
from recommendation_shared.aws_errors import error_code
from recommendation_shared.item.attribute_value import AttributeValue
from recommendation_shared.item.encoding import PARTITION_KEY
from recommendation_shared.item.marks import Mark, MarkError, mark_item, mark_key, read_mark

CONDITION_FAILED: Final = "ConditionalCheckFailedException"
_CHANGED: Final = (
    "Another command changed this incident's mark in the meantime, so this one stopped. When the other has ended, run"
    " this one again."
)


class MarkChangedError(LeftError):
    """Another command changed the mark after this one had read it."""


class MarkStore:
    """The marks in a table. Every method raises botocore's errors."""

    def __init__(self, client: WritableDynamoDb, target: Target) -> None:
        self._client = client
        self._target = target

    def read(self, incident_id: str) -> Mark | None:
        """Return an incident's mark, read with strong consistency; raise a usage error if it is malformed."""
        item = self._item(mark_key(incident_id))
        try:
            return None if item is None else read_mark(item)
        except MarkError as error:
            raise click.UsageError(
                f"Nothing was changed, because {error}. Somebody must put {mark_key(incident_id)} right first."
            ) from None

    def require(self, incident_id: str, known: Mark) -> None:
        """Raise `MarkChangedError` unless the table still has the known mark."""
        if self.read(incident_id) != known:
            raise MarkChangedError(_CHANGED)

    def replace(self, known: Mark | None, new: Mark) -> None:
        """Store a mark, provided that the table still has the known one, or none."""
        from botocore.exceptions import ClientError

        try:
            self._client.put_item(TableName=self._target.table, Item=mark_item(new), **_unchanged(known))
        except ClientError as error:
            if error_code(error) != CONDITION_FAILED:
                raise
            # botocore repeats a call whose answer was lost: the condition then fails on this very mark.
            if self._item(new.key) != mark_item(new):
                raise MarkChangedError(_CHANGED) from None

    def _item(self, key: str) -> Mapping[str, AttributeValue] | None:
        item: Mapping[str, AttributeValue] | None = self._client.get_item(
            TableName=self._target.table, Key={PARTITION_KEY: {"S": key}}, ConsistentRead=True
        ).get("Item")
        return item


def _unchanged(known: Mark | None) -> dict[str, Any]:
    """Return the condition that the table has this mark, or none.

    History and list only grow, so their sizes tell marks apart; some engines do not compare lists.
    """
    if known is None:
        return {"ConditionExpression": f"attribute_not_exists({PARTITION_KEY})"}
    values = {":history": {"N": str(len(known.history))}}
    names = {"#history": "history", "#erased": "erased", "#counts": "counts"}
    conditions = ["size(#history) = :history", "attribute_not_exists(#erased)", "attribute_not_exists(#counts)"]
    if known.erased:
        conditions[1] = "size(#erased) = :erased"
        values[":erased"] = {"N": str(len(known.erased))}
    if known.counts:
        conditions[2] = "size(#counts) = :counts"
        values[":counts"] = {"N": str(len(known.counts))}
    for number, (name, count) in enumerate(sorted(known.counts.items())):
        conditions.append(f"#counts.#{number} = :{number}")
        names[f"#{number}"] = name
        values[f":{number}"] = {"N": str(count)}
    return {
        "ConditionExpression": " AND ".join(conditions),
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
    }
