"""The SQS client, of the host's own botocore. Only a call thread imports this module: botocore takes 50 ms or more."""

import encodings.idna  # noqa: F401 - the first name lookup would import it, and a fork then could break it, see `client`
from typing import Any

import botocore.session
from botocore.config import Config


def open_client(region_name: str | None, endpoint_url: str | None) -> Any:
    """Return a client of a new session, which shares neither credentials nor settings with the host's default session.

    It uses only what every botocore since 1.31 has.
    """
    config = Config(
        connect_timeout=1,  # seconds; botocore's defaults are 60 and 60
        read_timeout=2,
        retries={"total_max_attempts": 2, "mode": "standard"},  # two, as a pooled socket may be dead after a thaw
        tcp_keepalive=True,
        parameter_validation=False,  # the parameters are ours, and checking them takes longer than building them
    )
    session = botocore.session.Session()
    return session.create_client("sqs", region_name=region_name, endpoint_url=endpoint_url, config=config)
