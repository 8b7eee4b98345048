"""Failures of calls on the table of reviews, each as one sentence with its remedy."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from recommendation_cli.aws.connection import Target
from recommendation_cli.aws.errors import AwsError
from recommendation_cli.marks.errors import explained_writes
from recommendation_shared.aws_errors import MISSING_RESOURCE, error_code

REVIEWER: Final = "RecommendationReviewerRole"
READER: Final = "RecommendationReaderRole"


@contextmanager
def explained_reviews(reviews: Target, role: str) -> Iterator[None]:
    """Turn errors into click's errors; `role` is the one that may do what the command does."""
    from botocore.exceptions import ClientError

    with explained_writes(reviews, role):
        try:
            yield
        except ClientError as error:
            if error_code(error) not in MISSING_RESOURCE:
                raise
            raise AwsError(
                f"There is no {reviews}: deploy the stack again, which creates it, or check --reviews-table, --table"
                " and --region."
            ) from None
