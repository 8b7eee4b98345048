from typing import Any

import pytest
from botocore.exceptions import ClientError, NoCredentialsError

from recommendation_cli.aws.caller import caller_arn
from recommendation_cli.aws.connection import Location, Target
from recommendation_cli.aws.errors import AwsError

TARGET = Target("opx-agent-recommendations")


class _Sts:
    def __init__(self, answer: dict[str, Any] | Exception) -> None:
        self._answer = answer

    def get_caller_identity(self) -> dict[str, Any]:
        """Return the answer, or raise it."""
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


def _caller(answer: dict[str, Any] | Exception) -> str:
    def create(service: str, location: Location) -> _Sts:
        assert (service, location) == ("sts", TARGET)
        return _Sts(answer)

    return caller_arn(create, TARGET)


def test_the_caller_is_who_sts_says() -> None:
    """An assumed role's ARN names the session too."""
    assert _caller({"Arn": "arn:aws:sts::1:assumed-role/R/alice"}) == "arn:aws:sts::1:assumed-role/R/alice"


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ({}, "must serve STS too"),
        (ClientError({"Error": {"Code": "ExpiredToken", "Message": ""}}, "GetCallerIdentity"), "sign in again"),
        (ClientError({"Error": {"Code": "Odd", "Message": "why"}}, "GetCallerIdentity"), "who you are (Odd): why"),
        (NoCredentialsError(), "No usable AWS credentials"),
    ],
    ids=["no ARN", "expired", "refused", "no credentials"],
)
def test_without_an_answer_nothing_is_written_in_anybodys_name(
    answer: dict[str, Any] | Exception, sentence: str
) -> None:
    """The message says what to do."""
    with pytest.raises(AwsError) as refused:
        _caller(answer)
    assert sentence in refused.value.message
