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
def test_code_is_stripped_of_its_namespace_but_not_of_its_service(code: str, expected: str) -> None:
    """Without its prefix, KMS.DisabledException would not say what is disabled."""
    error = ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": 400}}, "SendMessage")
    assert (error_code(error), http_status(error)) == (expected, 400)


def test_other_exceptions_are_named_by_their_type() -> None:
    """An exception's message is never used, because it may quote a body."""
    assert error_code(NoCredentialsError()) == "NoCredentialsError"
    assert error_code(ValueError("a secret")) == "ValueError"
    assert http_status(ValueError("a secret")) == 0


def test_each_code_belongs_to_one_set() -> None:
    """Otherwise what happens next would depend on the order of the checks."""
    sets = [
        aws_errors.throttling_codes(),
        aws_errors.transient_codes(),
        aws_errors.CREDENTIALS,
        aws_errors.ACCESS_DENIED,
    ]
    assert len(frozenset().union(*sets)) == sum(map(len, sets))


def test_module_does_not_import_botocore() -> None:
    """It would cost the producer's host 50 ms."""
    program = "import sys, recommendation_shared.aws_errors; sys.exit('botocore' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
