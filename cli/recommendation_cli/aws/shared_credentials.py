"""The AWS CLI's cache of temporary credentials, so that an MFA code or a sign-in serves both programs.

botocore itself keeps the credentials of an assumed role in memory only: every run would ask for another code.
"""

from typing import Any, Final

_FOLDER: Final = "~/.aws/cli/cache"  # as in awscli/customizations/assumerole.py; tokens of SSO are shared already
_PROVIDERS: Final = ("assume-role", "assume-role-with-web-identity", "sso")


def share_credentials(session: Any) -> None:
    """Let a botocore session read and write the cache. Entries expire with their credentials."""
    from pathlib import Path

    from botocore.exceptions import UnknownCredentialError
    from botocore.utils import JSONFileCache

    cache = JSONFileCache(str(Path(_FOLDER).expanduser()))
    chain = session.get_component("credential_provider")
    for name in _PROVIDERS:
        try:
            chain.get_provider(name).cache = cache
        except UnknownCredentialError:  # a botocore without this kind of credentials
            continue
