"""AWS error codes, read without importing botocore."""

import subprocess
import sys

import pytest
from botocore.exceptions import ClientError, NoCredentialsError

from recommendation_shared import aws_errors
from recommendation_shared.aws_errors import error_code, http_status


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("AccessDenied", "AccessDenied"),
        ("AWS.SimpleQueueService.NonExistentQueue", "NonExistentQueue"),
        ("com.amazonaws.sqs#QueueDoesNotExist", "QueueDoesNotExist"),
        ("KMS.DisabledException", "KMS.DisabledException"),
    ],
)
def test_a_code_loses_its_namespace_and_keeps_its_service(code: str, expected: str) -> None:
    """KMS.DisabledException without its prefix would not say what is disabled."""
    error = ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": 400}}, "SendMessage")
    assert (error_code(error), http_status(error)) == (expected, 400)


def test_any_other_exception_is_named_by_its_type() -> None:
    """Never by its message, which may quote a body."""
    assert error_code(NoCredentialsError()) == "NoCredentialsError"
    assert error_code(ValueError("a secret")) == "ValueError"
    assert http_status(ValueError("a secret")) == 0


def test_no_code_means_two_things() -> None:
    """The sets that decide what happens next are disjoint."""
    sets = [aws_errors.THROTTLING, aws_errors.TRANSIENT, aws_errors.CREDENTIALS, aws_errors.ACCESS_DENIED]
    assert len(frozenset().union(*sets)) == sum(map(len, sets))


def test_reading_a_code_does_not_import_botocore() -> None:
    """The producer's host would pay 50 ms for it."""
    program = "import sys, recommendation_shared.aws_errors; sys.exit('botocore' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0  # noqa: S603 - ourselves
