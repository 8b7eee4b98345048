"""The incidents that are held, and marks whose command was interrupted before it was done."""

from collections.abc import Iterator, Mapping
from typing import Final

from recommendation_cli.aws.connection import DynamoDb
from recommendation_cli.doctor.checks import Finding, finding
from recommendation_cli.marks.text import entry_text, hold_text
from recommendation_cli.screen.visible import visible
from recommendation_cli.search.marks import UnreadableMark
from recommendation_cli.search.queries import Search, pages
from recommendation_shared.envelope.fields import DIGEST, HOLD, TTL
from recommendation_shared.item.attribute_value import AttributeValue
from recommendation_shared.item.marks import Mark, State
from recommendation_shared.wording import plural

SUBJECT: Final = "incident marks"


def check_mark(client: DynamoDb, table: str, mark: Mark | UnreadableMark) -> Iterator[Finding]:
    """Check that the records of a held or released incident are as its mark says. Raises botocore's errors.

    It reads the incident's records, from the table itself if its indexes are compact.
    """
    match mark:
        case UnreadableMark():
            remedy = "Put it back by hand from the dead letter that the keeper made of it (reason Tampered)."
            yield finding(SUBJECT, ok=False, expected=f"{mark.key} can be read", actual=mark.why, remedy=remedy)
        case Mark(incident_id=str(incident_id)) if mark.is_held and mark.hold is not None:
            name, left = visible(incident_id), _left(client, table, incident_id, TTL)
            remedy = f"Run recs hold {name} again with the same --reason to complete the hold."
            yield finding(SUBJECT, not left, f"{name} is {hold_text(mark.hold)}", left, remedy)
        case Mark(incident_id=str(incident_id)):
            name, left = visible(incident_id), _left(client, table, incident_id, HOLD)
            remedy = f"Run recs release {name} again to complete the release."
            if left:
                yield finding(SUBJECT, ok=False, expected=f"{name} is released", actual=left, remedy=remedy)
        case Mark() if mark.state is State.ERASING:
            actual = entry_text(mark.history[-1])
            remedy = "Run recs erase for that incident again to complete the erasure."
            yield finding(SUBJECT, ok=False, expected=f"the erasure {mark.key} is done", actual=actual, remedy=remedy)


def _left(client: DynamoDb, table: str, incident_id: str, unwanted: str) -> str:
    """Return how many of an incident's records have an attribute that its mark rules out; nothing if none has."""
    records = list(_records(client, table, incident_id))
    left = sum(unwanted in record for record in records)
    if left == 0:
        return ""
    has = "has" if left == 1 else "have"
    return f"{left:,} of {plural(len(records), 'record')} {has} a {unwanted}, so the command was interrupted"


def _records(client: DynamoDb, table: str, incident_id: str) -> Iterator[Mapping[str, AttributeValue]]:
    search = Search("incidentId", incident_id, attributes=(DIGEST, TTL, HOLD))
    for page in pages(client, table, search):
        yield from page.items
