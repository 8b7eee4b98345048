"""Writing reviews in the caller's name."""

from collections import Counter
from secrets import token_hex
from typing import Any, NamedTuple

import click

from recommendation_cli.aws.caller import caller_arn
from recommendation_cli.aws.errors import explained
from recommendation_cli.options.table import TableOptions
from recommendation_cli.reading.query import read_recommendation
from recommendation_cli.reviewing.errors import REVIEWER, explained_reviews
from recommendation_cli.reviewing.retention import review_retention
from recommendation_cli.reviews.beside import Reviewed
from recommendation_cli.reviews.review import (
    RANDOM_BYTES,
    Review,
    ReviewKey,
    Verdict,
    review_expiry,
    review_id,
)
from recommendation_cli.reviews.store import ReviewTable, put_review
from recommendation_cli.runtime import Runtime
from recommendation_cli.search.not_found import no_such_recommendation, nothing_found
from recommendation_cli.search.queries import Search
from recommendation_cli.search.suggestions import exists


class Written(NamedTuple):
    """A new review, and the one that it supersedes, if any."""

    review: Review
    superseded: Review | None


class ReviewWriter:
    """Writes reviews of one table's recommendations, signed with the ARN that STS has for the caller.

    Raises `AwsError` when AWS refuses a call, here and in each method.
    """

    def __init__(self, runtime: Runtime, table: TableOptions) -> None:
        self.target = table.target(runtime)
        self.reviews = table.reviews_target(runtime)
        self._runtime = runtime
        self._now = None if table.include_expired else runtime.now()
        with explained(self.target):
            self._client: Any = runtime.create_client("dynamodb", self.target)
        self.by = caller_arn(runtime.create_client, self.target)
        self._retention = review_retention(runtime.create_client, self.reviews)

    def of_recommendation(self, recommendation_id: str, verdict: Verdict, note: str | None) -> Written:
        """Review a recommendation, which must exist; raise `NothingFoundError` with a suggestion if it does not."""
        with explained(self.target):
            document = read_recommendation(self._client, self.target, recommendation_id, now=self._now).document
            incident_id = document.get("incidentId")
            if "contentDigest" not in document or not isinstance(incident_id, str):  # the register, or a mark
                raise no_such_recommendation(self._client, self.target, recommendation_id)
        earlier = self._earlier(incident_id)
        return self._write(earlier, incident_id, recommendation_id, verdict=verdict, note=note)

    def of_incident(
        self, incident_id: str, *, root_cause: str | None, resolved_by: str | None, note: str | None
    ) -> Written:
        """Review an incident, of which there must be a recommendation or an earlier review.

        What is None stays as the latest review of the incident has it; an empty text takes it back. Raises
        `NothingFoundError` with a suggestion if there is no such incident, and a usage error if there is nothing to
        take back.
        """
        with explained(self.target):
            is_known = exists(self._client, self.target.table, "incidentId", incident_id)
        earlier = self._earlier(incident_id)
        if not is_known and not list(earlier):
            with explained(self.target):
                search = Search("incidentId", incident_id)
                raise nothing_found(self._client, self.target, search, expired=0, others=Counter())
        latest = earlier.of(incident_id)
        said = {"root_cause": root_cause, "resolved_by": resolved_by, "note": note}
        whole = {
            name: (getattr(latest, name) if latest is not None and text is None else text) or None
            for name, text in said.items()
        }
        if not any(whole.values()) and (latest is None or latest.is_retraction):
            raise click.UsageError("An empty text takes back what was said, and nothing was.")
        return self._write(earlier, incident_id, None, **whole)

    def _earlier(self, incident_id: str) -> Reviewed:
        with explained_reviews(self.reviews, REVIEWER):
            return Reviewed(ReviewTable(self._client, self.reviews.table).reviews_of(incident_id))

    def _write(self, earlier: Reviewed, incident_id: str, recommendation_id: str | None, **said: Any) -> Written:
        identity = review_id(self._runtime.now(), earlier, token_hex(RANDOM_BYTES))
        nothing = {"verdict": None, "note": None, "root_cause": None, "resolved_by": None}
        review = Review(
            ReviewKey(incident_id, identity),
            recommendation_id,
            **{**nothing, **said},
            by=self.by,
            expires_at=review_expiry(identity, self._retention),
        )
        with explained_reviews(self.reviews, REVIEWER):
            put_review(self._client, self.reviews.table, review)
        return Written(review, earlier.of(incident_id, recommendation_id))
