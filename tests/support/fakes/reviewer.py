"""Everything `recs review` calls, in memory: the two tables, STS and SSM."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from recommendation_cli.runtime import Runtime
from tests.support.fakes.recommendation_table import IndexedDynamoDb, Item, runtime
from tests.support.fakes.reviews_table import FakeReviewsTable, refusal

ALICE = "arn:aws:sts::123456789012:assumed-role/RecommendationReviewerRole/alice"


class ReviewersAccount(IndexedDynamoDb):
    """The table of recommendations, and beside it that of reviews, which can be written.

    `retention` is the value of the SSM parameter, None if the parameter does not exist, or the error that SSM returns.
    """

    def __init__(
        self, *pages: Sequence[Item], reviews: FakeReviewsTable | None = None, retention: str | Exception | None = None
    ) -> None:
        super().__init__(*pages, reviews=reviews)
        self.retention = retention
        self.parameters: list[str] = []

    def put_item(self, **parameters: Any) -> Mapping[str, Any]:
        """Store a review."""
        return self.reviews.put_item(**parameters)

    def get_caller_identity(self) -> Mapping[str, Any]:
        """Answer as STS does."""
        return {"Arn": ALICE}

    def get_parameter(self, **parameters: Any) -> Mapping[str, Any]:
        """Answer as SSM does."""
        self.parameters.append(parameters["Name"])
        if isinstance(self.retention, Exception):
            raise self.retention
        if self.retention is None:
            raise refusal("ParameterNotFound", "GetParameter")
        return {"Parameter": {"Value": self.retention}}

    def runtime(self) -> Runtime:
        """Return a runtime in which every service is this account."""
        return replace(runtime(self), create_client=lambda _service, _location: self)
