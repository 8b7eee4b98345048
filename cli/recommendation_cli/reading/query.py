"""Read one recommendation, and verify it."""

from typing import NamedTuple

from recommendation_cli.aws.connection import DynamoDb, Target
from recommendation_cli.aws.errors import NothingFoundError
from recommendation_cli.screen.visible import visible
from recommendation_cli.search.not_found import no_such_recommendation
from recommendation_cli.search.queries import Document, get_item, is_expired
from recommendation_shared.item.encoding import decode_item, item_digest


class Verified(NamedTuple):
    """A recommendation, the digest it was stored with (None: without one), and the digest of its content."""

    document: Document
    stored: str | None
    computed: str

    @property
    def intact(self) -> bool:
        """Whether it is what the consumer wrote."""
        return self.stored == self.computed

    def mismatch(self) -> str:
        """Return what to say where it is not what the consumer wrote."""
        claim = "it has no contentDigest" if self.stored is None else f"its contentDigest is {visible(self.stored)}"
        return (
            f"This is not what the consumer wrote: {claim}, but its content has the digest {self.computed}. Compare it"
            " with a backup of the table (point-in-time recovery)."
        )


def read_recommendation(client: DynamoDb, target: Target, recommendation_id: str, *, now: float | None) -> Verified:
    """Return a recommendation, as the table (not an index) has it; raise `NothingFoundError` with a suggestion.

    `now` (epoch seconds) hides it if it had expired by then; None hides nothing.
    """
    item = get_item(client, target.table, recommendation_id)
    if item is None:
        raise no_such_recommendation(client, target, recommendation_id)
    if now is not None and is_expired(item, now):
        raise NothingFoundError(
            f"Recommendation {visible(recommendation_id)} has expired: --include-expired shows it until DynamoDB"
            " deletes it."
        )
    return Verified(decode_item(item), item.get("contentDigest", {}).get("S"), item_digest(item))
