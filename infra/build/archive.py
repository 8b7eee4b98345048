"""Write zips whose bytes depend only on their contents."""

import zipfile
from pathlib import Path

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip can hold
_MODE = 0o100644 << 16  # a regular file that Lambda's unprivileged user can read
_UNIX = 3  # the system that defines the mode; zipfile would record the one it runs on


def write_zip(archive: Path, prefix: str, *trees: Path) -> int:
    """Write the trees into one zip, under `prefix` and in sorted order; return its uncompressed size in bytes."""
    files = sorted(
        (prefix + file.relative_to(tree).as_posix(), file)
        for tree in trees
        for file in tree.rglob("*")
        if file.is_file()
    )
    uncompressed = 0
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, file in files:
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system = _UNIX
            entry.external_attr = _MODE
            entry.compress_type = zipfile.ZIP_DEFLATED
            content = file.read_bytes()
            uncompressed += len(content)
            bundle.writestr(entry, content)
    return uncompressed
