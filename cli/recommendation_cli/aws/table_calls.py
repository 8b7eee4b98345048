"""Calls on a table: a Query to its end, and a write under a condition. Both raise botocore's errors."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from recommendation_cli.aws.connection import DynamoDb, NotDynamoDbError
from recommendation_shared.aws_errors import CONDITION_FAILED, error_code
from recommendation_shared.item.attribute_value import AttributeValue


def queried(
    client: DynamoDb, table: str, parameters: Mapping[str, Any]
) -> Iterator[Sequence[Mapping[str, AttributeValue]]]:
    """Yield the items of a Query, page by page; also raise `NotDynamoDbError`."""
    start: dict[str, Any] = {}
    while True:
        answer = client.query(TableName=table, **parameters, **start)
        if answer.get("Items") is None:  # DynamoDB returns an empty list if there are no items
            raise NotDynamoDbError
        yield answer["Items"]
        if answer.get("LastEvaluatedKey") is None:
            return
        start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


def meets_condition(call: Callable[..., object], **parameters: Any) -> bool:
    """Make a call that writes under a condition; return False if the item did not meet it, so nothing was written."""
    from botocore.exceptions import ClientError

    try:
        call(**parameters)
    except ClientError as error:
        if error_code(error) != CONDITION_FAILED:
            raise
        return False
    return True
