"""The incident's lines in the archive's files, which are rewritten without them (docs/archive.md)."""

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from recommendation_cli.aws.errors import credentials_refused, explained_calls
from recommendation_cli.erasure.errors import ROLE
from recommendation_cli.erasure.places import Found, Swept
from recommendation_cli.erasure.tombstone import Tombstone
from recommendation_cli.screen.progress import Report
from recommendation_cli.screen.visible import visible
from recommendation_shared.aws_errors import ACCESS_DENIED, error_code
from recommendation_shared.exact_json.printable import json_line
from recommendation_shared.wording import plural

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

PREFIX: Final = "incidents/"  # the keeper writes nowhere else in the bucket
_DAY_PREFIX: Final = f"{PREFIX}dt="
_ATTEMPTS: Final = 5  # at a file that the keeper keeps replacing
_NAMED: Final = 5  # files in a sentence
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


class _File(NamedTuple):
    key: str
    etag: str

    @property
    def day(self) -> str:
        """The day in its key; empty where another program chose the key."""
        return self.key.removeprefix(_DAY_PREFIX).partition("/")[0] if self.key.startswith(_DAY_PREFIX) else ""


class _UnreadableError(Exception):
    """A file that cannot be read or is not one of the keeper's; the message says why."""


class Archive:
    """The lines of an incident in the archive's files. Files that were read and have none are not read again."""

    name: Final = "archived lines"

    def __init__(self, s3: S3, bucket: Bucket, incident_id: str) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._incident_id = incident_id
        self._token = json_line(incident_id).rstrip(b"\n")  # as it is written in a line
        self._clean: set[_File] = set()
        self._versions: list[str] = []  # keys of which the bucket keeps an earlier version

    def find(self, report: Report) -> Found:
        """Count the lines. Each file of the archive is read, or each in the period."""
        lines, files, days, unreadable = 0, 0, set[str](), 0
        for file in self._unread(report):
            try:
                _, removed = self._split(self._read(file.key)[0])
            except _UnreadableError:
                unreadable += 1
                continue
            if removed:
                lines, files = lines + removed, files + 1
                days.add(file.day)
            else:
                self._clean.add(file)
        where = f"in {plural(files, 'file')} of {self._bucket}"
        if unreadable:
            where += f"; {plural(unreadable, 'file')} could not be read"
        return Found(lines, where, frozenset(filter(None, days)))

    def sweep(self, tombstone: Tombstone, report: Report) -> Swept:
        """Rewrite the files that have lines of the incident without them; delete those that have no others."""
        erased = 0
        left: dict[str, str] = {}
        for file in self._unread(report):
            try:
                removed = self._clear(file)
            except _UnreadableError as error:
                left[file.key] = str(error)
                continue
            if removed:
                tombstone.add(self.name, removed)
                erased += removed
        return Swept(erased, [f"{visible(key)}: {why}" for key, why in list(left.items())[:_NAMED]] + self._more(left))

    def unreachable(self) -> Sequence[str]:
        """Return that the bucket keeps earlier versions, if it does."""
        if not self._versions:
            return ()
        names = visible(", ".join(self._versions[:_NAMED]))
        more = ", …" if len(self._versions) > _NAMED else ""
        sentence = (
            f"earlier versions of {plural(len(self._versions), 'file')} that {self._bucket} keeps ({names}{more}):"
            " delete those versions, or let a lifecycle rule do so."
        )
        return [sentence]

    def _unread(self, report: Report) -> Iterator[_File]:
        """Yield the files in the period that have not been found clean."""
        for count, file in enumerate(self._files(), 1):
            if file not in self._clean:
                yield file
            report(f"looked at {plural(count, 'archive file')}", count, None)

    def _files(self) -> Iterator[_File]:
        since, until = self._bucket.since, self._bucket.until
        parameters = {"Bucket": self._bucket.name, "Prefix": PREFIX}
        if since is not None:
            parameters["StartAfter"] = f"{_DAY_PREFIX}{since}"
        while True:
            with self._explained():
                answer = self._s3.list_objects_v2(**parameters)
            for entry in answer.get("Contents", []):
                file = _File(entry["Key"], entry["ETag"])
                if until is not None and file.day > until:
                    return
                yield file
            if not answer.get("IsTruncated"):
                return
            parameters["ContinuationToken"] = answer["NextContinuationToken"]

    def _clear(self, file: _File) -> int:
        """Remove the incident's lines from a file; return how many they were."""
        for _ in range(_ATTEMPTS):
            lines, etag = self._read(file.key)
            kept, removed = self._split(lines)
            if not removed:
                self._clean.add(_File(file.key, etag))
                return 0
            if self._replace(file.key, etag, kept):
                return removed
        raise _UnreadableError("the keeper replaces it all the time: run this again.")

    def _read(self, key: str) -> tuple[list[bytes], str]:
        """Return a file's lines and its ETag; no lines if it is gone."""
        from botocore.exceptions import ClientError

        with self._explained():
            try:
                answer = self._s3.get_object(Bucket=self._bucket.name, Key=key)
                return gzip.decompress(answer["Body"].read()).splitlines(keepends=True), answer["ETag"]
            except ClientError as error:
                if error_code(error) == _GONE:
                    return [], ""
                if error_code(error) == _FROZEN:
                    raise _UnreadableError(
                        "it is in a storage class such as Glacier: restore it, and run this again."
                    ) from None
                raise
            except (EOFError, zlib.error, gzip.BadGzipFile):
                raise _UnreadableError(
                    "it is not a whole gzip file: look at it, and delete it if it is of the incident."
                ) from None

    def _split(self, lines: Sequence[bytes]) -> tuple[bytes, int]:
        """Return what remains of a file without the incident's lines, byte for byte, and how many those are."""
        kept = [line for line in lines if not self._is_of_incident(line)]
        return b"".join(kept), len(lines) - len(kept)

    def _is_of_incident(self, line: bytes) -> bool:
        if self._token not in line:  # which spares parsing nearly every line
            return False
        try:
            document = json.loads(line)
        except ValueError:
            raise _UnreadableError("a line that mentions the incident is not JSON: look at it.") from None
        return isinstance(document, dict) and document.get("incidentId") == self._incident_id

    def _replace(self, key: str, etag: str, body: bytes) -> bool:
        """Write what remains, or delete the file if nothing does; return False if the keeper has replaced it."""
        from botocore.exceptions import ClientError

        target = {"Bucket": self._bucket.name, "Key": key, "IfMatch": etag}
        with self._explained():
            try:
                if body:
                    packed = gzip.compress(body, mtime=0)  # as the keeper writes it
                    answer = self._s3.put_object(**target, Body=packed, ContentType="application/gzip")
                else:
                    answer = self._s3.delete_object(**target)
            except ClientError as error:
                if error_code(error) in _CHANGED:
                    return False
                raise
        if answer.get("VersionId", _NO_VERSION) != _NO_VERSION:
            self._versions.append(key)
        return True

    @staticmethod
    def _more(left: Mapping[str, str]) -> list[str]:
        return [f"{plural(len(left) - _NAMED, 'more archive file')}."] if len(left) > _NAMED else []

    def _explained(self) -> Any:
        return explained_calls(self._bucket, "S3", _refused)


def _refused(error: "ClientError", bucket: Bucket) -> str:
    code, message = error_code(error), visible(str(error.response.get("Error", {}).get("Message", "")))
    if (credentials := credentials_refused(code)) is not None:
        return credentials
    if code in ACCESS_DENIED:
        return f"Access to the {bucket} is denied: use an identity that may assume {ROLE}. S3 says: {message}"
    if code == "NoSuchBucket":
        return f"There is no {bucket}: check --archive-bucket, --profile and --endpoint-url."
    return f"S3 refused the call on the {bucket} ({visible(code)}): {message}"
