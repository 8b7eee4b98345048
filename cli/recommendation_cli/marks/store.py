"""Reading and replacing an incident's mark."""

from typing import Any, Final

import click

from recommendation_cli.aws.connection import Target, WritableDynamoDb
from recommendation_cli.aws.table_calls import meets_condition
from recommendation_cli.marks.errors import LeftError
from recommendation_cli.search.queries import get_item
from recommendation_shared.item.encoding import PARTITION_KEY
from recommendation_shared.item.marks import Mark, MarkError, mark_item, mark_key, read_mark

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
        item = get_item(self._client, self._target.table, mark_key(incident_id))
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
        item = mark_item(new)
        is_stored = meets_condition(self._client.put_item, TableName=self._target.table, Item=item, **_unchanged(known))
        # botocore repeats a call whose answer was lost: the condition then fails on this very mark.
        if not is_stored and get_item(self._client, self._target.table, new.key) != item:
            raise MarkChangedError(_CHANGED)


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
