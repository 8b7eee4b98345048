"""The AWS account that the caller's credentials belong to, or what to do if they do not work."""

import os
from dataclasses import dataclass, field
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)

from infra.errors import DeployError

_LOG_IN = "Log in (aws sso login, or set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY) and try again"
_CONFIG = Config(connect_timeout=5, read_timeout=30, retries={"total_max_attempts": 3, "mode": "standard"})


@dataclass(frozen=True)
class Account:
    """An account, the identity that acts in it, and the region."""

    number: str
    identity: str  # an ARN
    region: str
    session: Any = field(repr=False)

    def client(self, service: str) -> Any:
        """Return a client for a service in the account's region."""
        return self.session.create_client(service, region_name=self.region, config=_CONFIG)

    def describe(self) -> str:
        """Return all of it as lines for a person."""
        endpoint = os.environ.get("AWS_ENDPOINT_URL")
        lines = [f"account  {self.number}, as {self.identity}", f"region   {self.region}"]
        return "\n".join([*lines, *([f"endpoint {endpoint} (not AWS)"] if endpoint else [])])


def current(expected: str | None) -> Account:
    """Return the account that the environment's credentials belong to.

    Raises `DeployError` if there are no credentials, if they do not work, or if they belong to another account than
    `expected`.
    """
    try:
        session = botocore.session.Session()
        region = os.environ.get("AWS_REGION") or session.get_config_variable("region")
        if not region:
            raise DeployError("no region is set. Set AWS_REGION, for example AWS_REGION=eu-west-1")
        caller = session.create_client("sts", region_name=region, config=_CONFIG).get_caller_identity()
    except ProfileNotFound as error:
        raise DeployError(f"{error}. List the profiles with: aws configure list-profiles") from error
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise DeployError(f"no AWS credentials were found. {_LOG_IN}") from error
    except (CredentialRetrievalError, SSOError, TokenRetrievalError) as error:
        raise DeployError(f"the AWS credentials cannot be used: {error}. {_LOG_IN}") from error
    except ClientError as error:
        raise DeployError(f"AWS rejected the credentials: {error.response['Error']['Code']}. {_LOG_IN}") from error
    except BotoCoreError as error:
        raise DeployError(f"could not determine the AWS account: {error}") from error
    if expected and caller["Account"] != expected:
        raise DeployError(
            f"the credentials belong to account {caller['Account']}, not to {expected}. Nothing was changed. {_LOG_IN}"
        )
    return Account(caller["Account"], caller["Arn"], region, session)
