"""Copying search results page by page, with a state after each page from which a later run can resume."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import groupby
from typing import Final

from recommendation_cli.aws.connection import DynamoDb
from recommendation_cli.aws.errors import AwsError
from recommendation_cli.document_json import document_line
from recommendation_cli.export.state import ExportState, Plan, Progress
from recommendation_cli.options.eager import CSV_WITH_BOM
from recommendation_cli.output import csv_header, csv_line
from recommendation_cli.reviews.beside import Reviewed, ReviewsBeside
from recommendation_cli.search.queries import SORT_KEY, Document, is_expired, pages
from recommendation_shared.item.attribute_value import AttributeValue
from recommendation_shared.item.encoding import PARTITION_KEY, decode_item

# Parquet is converted from JSON Lines at the end: a Parquet file cannot be cut off and continued.
_LINES: Final[dict[str, Callable[[Document], bytes]]] = {
    "jsonl": document_line,
    "parquet": document_line,
    "csv": csv_line,
    CSV_WITH_BOM: csv_line,
}

_LATER: Final = "run it again, or resume it, when they can be read"


def copy(client: DynamoDb, state: ExportState, reviews: ReviewsBeside) -> Iterator[tuple[bytes, ExportState]]:
    """Yield the bytes of page after page, each with the state that holds once they are written.

    Raises `AwsError` when reading reviews fails, or is refused after those beside the first documents could be read,
    and when a dataset's cannot be read. A missing table of reviews is not a failure.
    """
    plan, progress = state.plan, state.progress
    if progress == Progress() and plan.file_format in {"csv", CSV_WITH_BOM}:
        header = csv_header(plan.file_format)
        progress = replace(progress, size=len(header))
        yield header, ExportState(plan, progress)
    all_reviews = None if plan.dataset is None else _all_reviews(plan, reviews)
    for number in range(progress.search, len(plan.keys)):
        for page in pages(client, plan.target.table, plan.search(number), after=progress.after):
            items = _in_order(page.items)
            current = [decode_item(item) for item in items if plan.now is None or not is_expired(item, plan.now)]
            wanted, others = [], Counter(progress.others)
            for document in current:
                if plan.matching.passes(document):
                    wanted.append(document)
                else:
                    others[str(document.get("agentType"))] += 1
            reviewed = all_reviews or (Reviewed() if progress.unreviewed else reviews.of_documents(wanted))
            if reviews.is_interrupted or (reviews.is_refused and progress.documents and not progress.unreviewed):
                raise AwsError(f"{reviews.note} An export has them beside every document: {_LATER}.")
            lines, found = _lines(plan, wanted, reviewed)
            written = b"".join(lines)
            progress = Progress(
                search=number if page.last is not None else number + 1,
                after=None if page.last is None else dict(page.last),
                size=progress.size + len(written),
                documents=progress.documents + len(lines),
                expired=progress.expired + len(page.items) - len(current),
                others=dict(others),
                unreviewed=progress.unreviewed or reviews.is_refused,
                omitted=progress.omitted + len(wanted) - len(lines),
                redacted=sorted(found.union(progress.redacted)),
            )
            yield written, ExportState(plan, progress)


def _in_order(items: Iterable[Mapping[str, AttributeValue]]) -> Iterator[Mapping[str, AttributeValue]]:
    """Yield the items of a page; those of one time by their IDs, for which DynamoDB promises no order."""
    for _, same_time in groupby(items, lambda item: item.get(SORT_KEY)):
        yield from sorted(same_time, key=lambda item: str(item[PARTITION_KEY]))


def _lines(plan: Plan, documents: Iterable[Document], reviewed: Reviewed) -> tuple[list[bytes], set[str]]:
    """Return what the documents become in the file, and which redacted fields they had."""
    if plan.dataset is None:
        return list(map(_LINES[plan.file_format], map(reviewed.beside, documents))), set()
    examples = [plan.dataset.example(document, reviewed) for document in documents]
    kept = [example for example in examples if example is not None]
    return [example.line for example in kept], {path for example in kept for path in example.found}


def _all_reviews(plan: Plan, reviews: ReviewsBeside) -> Reviewed:
    """Return every review that a dataset may need: an incident may have been reviewed before its newest execution."""
    (key, value), *others = plan.keys
    found = reviews.of_incident(value) if key == "incidentId" and not others else reviews.since(None)
    if reviews.is_refused:
        raise AwsError(f"{reviews.note} A dataset needs them.")
    return found
