"""Queries: all items of an index under one key, page by page, and single items by their ID."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from recommendation_cli.aws.connection import DynamoDb, NotDynamoDbError
from recommendation_cli.search.compact_index import FETCHED_KEYS, completed, is_part
from recommendation_cli.search.filters import Filter
from recommendation_cli.search.period import Period
from recommendation_cli.search.projection import IN_COMPACT_INDEXES, LISTED, LISTED_IN_FULL, lacks_headline, projection
from recommendation_shared.item.attribute_value import AttributeValue
from recommendation_shared.item.encoding import PARTITION_KEY, decode_item

Document = dict[str, Any]  # an item as plain JSON values

SORT_KEY: Final = "timestamp"
TTL: Final = "ttl"


class Search(NamedTuple):
    """A search for the items whose `key` (incidentId, agentType or executionId) is `value` and that pass a filter.

    `limit` counts the items returned; None means all. The newest come first unless `oldest_first` is set. `attributes`
    are those to ask for (see `projection`); none means whole items. Unless `whole` is set, items from a compact index
    may lack what a list does not print.
    """

    key: str
    value: str
    period: Period = Period()
    limit: int | None = None
    oldest_first: bool = False
    matching: Filter = Filter()
    whole: bool = True
    attributes: tuple[str, ...] = ()

    def parameters(self) -> dict[str, Any]:
        """Return the parameters of the Query for the first page."""
        condition, values = "#key = :key", {":key": {"S": self.value}}
        names = {"#key": self.key}
        if self.period != Period():
            names["#sort"] = SORT_KEY
            bounds = {":since": self.period.since, ":until": self.period.until}
            values |= {name: {"S": bound} for name, bound in bounds.items() if bound is not None}
            condition += " AND " + _range(self.period)
        parameters = {
            "IndexName": f"{self.key}-{SORT_KEY}-index",
            "KeyConditionExpression": condition,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
            "ScanIndexForward": self.oldest_first,
            "ReturnConsumedCapacity": "TOTAL",
        }
        if self.attributes:
            wanted = projection(self.attributes)
            parameters["ProjectionExpression"] = wanted.expression
            parameters["ExpressionAttributeNames"] = names | wanted.names
        if self.limit is None or self.matching != Filter():  # a page that small may hold nothing that passes
            return parameters
        return {**parameters, "Limit": self.limit + 1}  # the extra item shows that there are more


def _range(period: Period) -> str:
    if period.since is None:
        return "#sort <= :until"
    return "#sort >= :since" if period.until is None else "#sort BETWEEN :since AND :until"


class Listing:
    """The documents of one search, newest first; iterate over it once.

    `now` (epoch seconds) hides what had expired by then; None hides nothing. DynamoDB deletes expired items only days
    later. `read` counts the items read and `units` DynamoDB's read units. `shown` and `expired` count what was
    returned and hidden so far, `others` what the filter rejected, by agent type; `cut_off` says that there are older
    items beyond the limit.
    """

    def __init__(self, client: DynamoDb, table: str, search: Search, *, now: float | None) -> None:
        self._client = client
        self._table = table
        self.search = search
        self._now = now
        self.read = 0
        self.units = 0.0
        self.shown = 0
        self.expired = 0
        self.others: Counter[str] = Counter()
        self.cut_off = False

    def __iter__(self) -> Iterator[Document]:
        """Yield documents, reading each page when it is needed."""
        for batch in self.batches():
            yield from batch

    def batches(self) -> Iterator[list[Document]]:
        """Yield the documents of one page after another; some pages may have none."""
        for page in self.pages(self.search):
            self.count(page)
            yield self.take(page)
            if self.cut_off:
                return

    def pages(self, search: Search, after: Mapping[str, AttributeValue] | None = None) -> Iterator["ItemPage"]:
        """Yield the pages of this listing's search, or of a part of it, without counting them."""
        return pages(self._client, self._table, search, after)

    def count(self, page: "ItemPage") -> None:
        """Count what reading a page took. Threads must not call this at the same time."""
        self.read += len(page.items)
        self.units += page.units

    def take(self, page: "ItemPage") -> list[Document]:
        """Return the documents of a page, and count them."""
        return [document for document in map(self._document, page.items) if document is not None]

    def _document(self, item: Mapping[str, AttributeValue]) -> Document | None:
        """Count an item; return it unless it is hidden, rejected or beyond the limit."""
        if self.shown == self.search.limit:
            self.cut_off = True
            return None
        if self._now is not None and is_expired(item, self._now):
            self.expired += 1
            return None
        document = decode_item(item)
        if not self.search.matching.passes(document):
            self.others[str(document.get("agentType"))] += 1
            return None
        self.shown += 1
        return document


class ItemPage(NamedTuple):
    """Up to 1 MB of an index, or 100 completed items; the next page starts after the key `last`, None at the end.

    `search` finds what follows: it asks for other attributes if those asked for first are not enough, or not there.
    `units` are the read units that DynamoDB billed for the page, without those for completing items.
    """

    items: Sequence[Mapping[str, AttributeValue]]
    last: Mapping[str, AttributeValue] | None
    search: Search
    units: float = 0.0


def pages(
    client: DynamoDb,
    table: str,
    search: Search,
    after: Mapping[str, AttributeValue] | None = None,
    *,
    piece: int = FETCHED_KEYS,
) -> Iterator[ItemPage]:
    """Yield pages to the end, starting after the `last` of an earlier page.

    A page with parts of items is yielded in pieces of `piece` completed items, at most as many as one BatchGetItem.
    """
    more = True
    while more:
        answer, search = _read(client, table, search, after)
        units = _units(answer)
        if search.attributes == LISTED and any(map(lacks_headline, answer["Items"])):
            # Agents without reasoning: read this page and the rest with what they recommend.
            answer, search = _read(client, table, search._replace(attributes=LISTED_IN_FULL), after)
            units += _units(answer)
        after = answer.get("LastEvaluatedKey")
        more = after is not None  # the only sign of the end: any page may be short or empty
        page = ItemPage(answer["Items"], after, search, units)
        is_complete = search.attributes in IN_COMPACT_INDEXES
        if not is_complete and any(is_part(item, whole=search.whole) for item in page.items):
            yield from _completed(client, table, search, page, piece)
        else:
            yield page


def _read(
    client: DynamoDb, table: str, search: Search, after: Mapping[str, AttributeValue] | None
) -> tuple[Mapping[str, Any], Search]:
    """Return one page, and the search that later pages need: a compact index may lack the attributes asked for."""
    from botocore.exceptions import ClientError

    start = {} if after is None else {"ExclusiveStartKey": after}
    try:
        answer = client.query(TableName=table, **search.parameters(), **start)
    except ClientError as error:
        if not search.attributes or "does not project" not in str(error):
            raise
        return _read(client, table, search._replace(attributes=()), after)
    if answer.get("Items") is None:  # DynamoDB returns an empty list if there are no items
        raise NotDynamoDbError
    return answer, search


def _units(answer: Mapping[str, Any]) -> float:
    units: float = (answer.get("ConsumedCapacity") or {}).get("CapacityUnits", 0.0)
    return units


def _completed(client: DynamoDb, table: str, search: Search, page: ItemPage, piece: int) -> Iterator[ItemPage]:
    """Yield a page in pieces of one BatchGetItem each: whole items may be a thousand times as large as their parts."""
    for start in range(0, len(page.items), piece):
        items = page.items[start : start + piece]
        is_last = start + piece >= len(page.items)
        last = page.last if is_last else {name: items[-1][name] for name in (PARTITION_KEY, search.key, SORT_KEY)}
        whole_items = completed(client, table, items, whole=search.whole)
        yield ItemPage(whole_items, last, search, page.units if is_last else 0.0)


def is_expired(item: Mapping[str, AttributeValue], now: float) -> bool:
    """Return whether the item's time to live has passed; as in DynamoDB, it never does unless `ttl` is a number."""
    expiry = item.get(TTL, {}).get("N")
    return expiry is not None and float(expiry) <= now


def get_item(client: DynamoDb, table: str, recommendation_id: str) -> Mapping[str, AttributeValue] | None:
    """Return the item from the table (not from an index) with strong consistency, or None."""
    response = client.get_item(TableName=table, Key={PARTITION_KEY: {"S": recommendation_id}}, ConsistentRead=True)
    item: Mapping[str, AttributeValue] | None = response.get("Item")
    return item
