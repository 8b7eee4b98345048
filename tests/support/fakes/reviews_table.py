"""A reviews table in memory, which answers as DynamoDB does: by key, in order, page by page, under a condition."""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

REVIEWS_TABLE = "opx-recommendation-reviews"

Item = Mapping[str, Any]


def refusal(code: str, operation: str = "Query") -> ClientError:
    """Return the error that botocore raises for an AWS error code."""
    return ClientError({"Error": {"Code": code, "Message": "of the test"}, "ResponseMetadata": {}}, operation)


class FakeReviewsTable:
    """Holds items by incident and review ID. While `error` is set, each call raises it. A page has `page` items."""

    def __init__(self, *items: Item, page: int = 2, error: Exception | None = None) -> None:
        self.items = {(item["incidentId"]["S"], item["reviewId"]["S"]): item for item in items}
        self.page = page
        self.error = error
        self.queries: list[dict[str, Any]] = []

    def query(self, **parameters: Any) -> Mapping[str, Any]:
        """Return a page of an incident's items or, with `IndexName`, of all items in a period."""
        self.queries.append(parameters)
        if self.error is not None:
            raise self.error
        values = {name: value["S"] for name, value in parameters["ExpressionAttributeValues"].items()}
        by_id = [self.items[key] for key in sorted(self.items, key=lambda key: key[1])]
        if "IndexName" in parameters:
            wanted = [item for item in by_id if item["kind"]["S"] == values[":kind"]]
            if ":since" in values:
                wanted = [item for item in wanted if values[":since"] <= item["reviewId"]["S"] <= values[":until"]]
        else:
            wanted = [item for item in by_id if item["incidentId"]["S"] == values[":incident"]]
        start = parameters.get("ExclusiveStartKey", {"at": 0})["at"]
        end = start + self.page
        return {"Items": wanted[start:end], **({"LastEvaluatedKey": {"at": end}} if end < len(wanted) else {})}

    def put_item(self, **parameters: Any) -> Mapping[str, Any]:
        """Store an item unless the condition forbids it."""
        if self.error is not None:
            raise self.error
        item = parameters["Item"]
        key = (item["incidentId"]["S"], item["reviewId"]["S"])
        if parameters.get("ConditionExpression") == "attribute_not_exists(reviewId)" and key in self.items:
            raise refusal("ConditionalCheckFailedException", "PutItem")
        self.items[key] = item
        return {}

    def delete_item(self, **parameters: Any) -> Mapping[str, Any]:
        """Delete an item, if it exists."""
        if self.error is not None:
            raise self.error
        self.items.pop((parameters["Key"]["incidentId"]["S"], parameters["Key"]["reviewId"]["S"]), None)
        return {}

    def update_item(self, **_parameters: Any) -> Mapping[str, Any]:
        """Fail the test: reviews are never changed."""
        raise NotImplementedError("a later review supersedes one, so nothing may update it")

    def get_item(self, **_parameters: Any) -> Mapping[str, Any]:
        """Fail the test: reviews are only queried."""
        raise NotImplementedError("nobody knows a review's ID, so nothing may ask for one")

    def batch_get_item(self, **_parameters: Any) -> Mapping[str, Any]:
        """Fail the test: reviews are only queried."""
        raise NotImplementedError("nobody knows a review's ID, so nothing may ask for one")
