"""The incident's reviews."""

from collections.abc import Sequence
from typing import Final

from recommendation_cli.aws.connection import Target, WritableDynamoDb
from recommendation_cli.erasure.errors import explained_table
from recommendation_cli.erasure.places import Erased, Found
from recommendation_cli.erasure.tombstone import Tombstone
from recommendation_cli.reviews.review import ReviewKey
from recommendation_cli.reviews.store import ReviewTable, delete_review
from recommendation_cli.screen.progress import Report
from recommendation_shared.aws_errors import MISSING_RESOURCE, error_code
from recommendation_shared.wording import plural

_CHUNK: Final = 25  # reviews counted in the mark by one write


class Reviews:
    """What people said about an incident and its recommendations, in the reviews table."""

    name: Final = "reviews"

    def __init__(self, client: WritableDynamoDb, target: Target, incident_id: str) -> None:
        self._client = client
        self._target = target
        self._table = ReviewTable(client, target.table)
        self._incident_id = incident_id

    def find(self, _report: Report) -> Found:
        """Count the reviews, also those that a later version wrote."""
        keys = self._keys()
        if keys is None:
            return Found(0, f"there is no {self._target}")
        return Found(len(keys), f"in {self._target}")

    def sweep(self, tombstone: Tombstone, report: Report) -> Erased:
        """Delete the reviews."""
        keys = self._keys() or []
        for start in range(0, len(keys), _CHUNK):
            chunk = keys[start : start + _CHUNK]
            with explained_table(self._target):
                for key in chunk:
                    delete_review(self._client, self._target.table, key)
            tombstone.add(self.name, len(chunk))
            report(f"erased {plural(start + len(chunk), 'review')}", start + len(chunk), len(keys))
        return Erased(len(keys))

    def unreachable(self) -> Sequence[str]:
        """Return nothing: what the table holds can be deleted."""
        return ()

    def _keys(self) -> list[ReviewKey] | None:
        """Return the keys of the reviews, or None if there is no table, as in stacks of earlier versions."""
        from botocore.exceptions import ClientError

        with explained_table(self._target):
            try:
                return self._table.keys_of(self._incident_id)
            except ClientError as error:
                if error_code(error) in MISSING_RESOURCE:
                    return None
                raise
