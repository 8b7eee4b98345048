"""How long the stack keeps reviews: its parameter ReviewRetentionDays, which it publishes for those who write them."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from recommendation_cli.aws.connection import Location, Target
from recommendation_cli.aws.errors import AwsError, code_and_message, explained_calls
from recommendation_cli.reviewing.errors import REVIEWER
from recommendation_cli.screen.visible import visible
from recommendation_shared.aws_errors import error_code
from recommendation_shared.settings import suffix_of_reviews

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

_MISSING: Final = "ParameterNotFound"


def review_retention(create_client: Callable[[str, Location], Any], reviews: Target) -> int | None:
    """Return for how many days a new review is kept; None keeps it indefinitely.

    A table of a name that no stack gives has no such parameter, and keeps its reviews. Raises `AwsError` if the
    parameter cannot be read: a review without its `ttl` would stay longer than the stack's owner decided.
    """
    from botocore.exceptions import ClientError

    suffix = suffix_of_reviews(reviews.table)
    if suffix is None:
        return None
    name = f"/opx-recommendations{suffix}/review-retention-days"
    with explained_calls(reviews, "SSM", _refused):
        try:
            text = create_client("ssm", reviews).get_parameter(Name=name)["Parameter"]["Value"]
        except ClientError as error:
            if error_code(error) == _MISSING:
                return None
            raise
    if not text.isdecimal():
        raise AwsError(f"The SSM parameter {name} must be a number of days, 0 for no end: it is {visible(text)}.")
    return int(text) or None


def _refused(error: "ClientError", reviews: Target) -> str:
    code, message = code_and_message(error)
    return (
        f"How long the {reviews} keeps reviews is not known ({visible(code)}): use an identity that may assume"
        f" {REVIEWER}. SSM says: {message}"
    )
