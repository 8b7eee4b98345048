"""The files of the archive in S3: listed, read, and replaced unless the keeper has replaced them meanwhile."""

import gzip
import zlib
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from recommendation_cli.aws.errors import code_and_message, explained_calls
from recommendation_cli.erasure.errors import ROLE
from recommendation_cli.screen.visible import visible
from recommendation_shared.aws_errors import ACCESS_DENIED, error_code

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

PREFIX: Final = "incidents/"  # the keeper writes nowhere else in the bucket
_DAY_PREFIX: Final = f"{PREFIX}dt="
_GONE: Final = "NoSuchKey"
_CHANGED: Final = frozenset({"PreconditionFailed", "ConditionalRequestConflict", _GONE})  # since it was read
_FROZEN: Final = "InvalidObjectState"  # in a storage class from which it must be restored first
_NO_VERSION: Final = "null"  # the version ID that S3 gives where versions are not kept


class S3(Protocol):
    """The calls of botocore's client that an erasure uses; each raises botocore's errors."""

    def list_objects_v2(self, **parameters: Any) -> Mapping[str, Any]:
        """Return up to 1,000 objects in the order of their keys as `Contents`."""

    def get_object(self, **parameters: Any) -> Mapping[str, Any]:
        """Return an object's `ETag` and its content as a stream, `Body`."""

    def put_object(self, **parameters: Any) -> Mapping[str, Any]:
        """Write or replace an object; return its `VersionId` if the bucket keeps versions."""

    def delete_object(self, **parameters: Any) -> Mapping[str, Any]:
        """Delete an object; return a `VersionId` if the bucket keeps versions."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """The archive's bucket and where it is; `since` and `until` are the days (UTC) to look at, both inclusive."""

    name: str
    since: str | None = None
    until: str | None = None
    region: str | None = None
    profile: str | None = None
    endpoint_url: str | None = None

    def __str__(self) -> str:
        """Return its name in messages."""
        endpoint = f" at {self.endpoint_url}" if self.endpoint_url else ""
        return f"bucket {self.name}{endpoint}"


class File(NamedTuple):
    """A file as it is listed; its ETag changes with its content."""

    key: str
    etag: str

    @property
    def day(self) -> str:
        """The day in its key; empty where another program chose the key."""
        return self.key.removeprefix(_DAY_PREFIX).partition("/")[0] if self.key.startswith(_DAY_PREFIX) else ""


class UnreadableFileError(Exception):
    """A file that cannot be read, or is not one of the keeper's; the message says why, and what to do."""


class ArchiveFiles:
    """The files in the bucket's period. Methods raise click's errors, each with its remedy."""

    def __init__(self, s3: S3, bucket: Bucket) -> None:
        self._s3 = s3
        self._bucket = bucket
        self.versioned: list[str] = []  # keys that were replaced or deleted, and of which S3 keeps the earlier version

    def __iter__(self) -> Iterator[File]:
        """Yield the files in the order of their days."""
        since, until = self._bucket.since, self._bucket.until
        parameters = {"Bucket": self._bucket.name, "Prefix": PREFIX}
        if since is not None:
            parameters["StartAfter"] = f"{_DAY_PREFIX}{since}"
        while True:
            with self._explained():
                answer = self._s3.list_objects_v2(**parameters)
            for entry in answer.get("Contents", []):
                file = File(entry["Key"], entry["ETag"])
                if until is not None and file.day > until:
                    return
                yield file
            if not answer.get("IsTruncated"):
                return
            parameters["ContinuationToken"] = answer["NextContinuationToken"]

    def read(self, key: str) -> tuple[list[bytes], str]:
        """Return a file's lines and its ETag; no lines if it is gone. Raises `UnreadableFileError`."""
        from botocore.exceptions import ClientError

        with self._explained():
            try:
                answer = self._s3.get_object(Bucket=self._bucket.name, Key=key)
                return gzip.decompress(answer["Body"].read()).splitlines(keepends=True), answer["ETag"]
            except ClientError as error:
                if error_code(error) == _GONE:
                    return [], ""
                if error_code(error) == _FROZEN:
                    raise UnreadableFileError("it is in a storage class such as Glacier: restore it first.") from None
                raise
            except (EOFError, zlib.error, gzip.BadGzipFile):
                raise UnreadableFileError(
                    "it is not a whole gzip file: look at it, and delete it if need be."
                ) from None

    def replace(self, key: str, etag: str, content: bytes) -> bool:
        """Write a file, or delete it if nothing remains; return False if it has changed since it was read."""
        from botocore.exceptions import ClientError

        target = {"Bucket": self._bucket.name, "Key": key, "IfMatch": etag}
        with self._explained():
            try:
                if content:
                    packed = gzip.compress(content, mtime=0)  # as the keeper writes it
                    answer = self._s3.put_object(**target, Body=packed, ContentType="application/gzip")
                else:
                    answer = self._s3.delete_object(**target)
            except ClientError as error:
                if error_code(error) in _CHANGED:
                    return False
                raise
        if answer.get("VersionId", _NO_VERSION) != _NO_VERSION:
            self.versioned.append(key)
        return True

    def _explained(self) -> AbstractContextManager[None]:
        return explained_calls(self._bucket, "S3", _refused)


def _refused(error: "ClientError", bucket: Bucket) -> str:
    code, message = code_and_message(error)
    if code in ACCESS_DENIED:
        return f"Access to the {bucket} is denied: use an identity that may assume {ROLE}. S3 says: {message}"
    if code == "NoSuchBucket":
        return f"There is no {bucket}: check --archive-bucket, --profile and --endpoint-url."
    return f"S3 refused the call on the {bucket} ({visible(code)}): {message}"
