"""Read the two executions to compare."""

from typing import NamedTuple

from recommendation_cli.aws.errors import NothingFoundError, NothingToCompareError
from recommendation_cli.document_source import DocumentSource
from recommendation_cli.options.listing import ListOptions
from recommendation_cli.screen.visible import visible
from recommendation_cli.search.queries import Document
from recommendation_cli.timeline.executions import group_by_execution


class Side(NamedTuple):
    """One execution: its ID, and its documents in order of time."""

    execution_id: str
    documents: list[Document]


def read_sides(source: DocumentSource, before: str, after: str | None, listed: ListOptions) -> tuple[Side, Side]:
    """Return both executions; a replay named alone comes after its original.

    Raises `NothingToCompareError` when a side is missing.
    """
    documents = _execution(source, before, listed)
    if after is None:
        original = _original_of(before, documents)
        return Side(original, _execution(source, original, listed)), Side(before, documents)
    return Side(before, documents), Side(after, _execution(source, after, listed))


def _execution(source: DocumentSource, execution_id: str, listed: ListOptions) -> list[Document]:
    try:
        return source.fetch("executionId", execution_id, listed)
    except NothingFoundError as error:
        raise NothingToCompareError(error.message) from None


def _original_of(execution_id: str, documents: list[Document]) -> str:
    for execution in group_by_execution(documents):
        if execution.replay_of is not None:
            return execution.replay_of
    raise NothingToCompareError(f"Execution {visible(execution_id)} is not marked as a replay: name both executions.")
