"""The process's own orjson, if it has one that works. It only saves time: every result is the same without it."""

import sys
from typing import Any, Final

# What orjson imports itself, but without noticing a failure, which then ends the process (seen with 3.13.0).
_NEEDED: Final = ("dataclasses", "datetime", "enum", "json", "uuid")


def _is_there(name: str) -> bool:
    """Return whether a module is loaded or can be found. Without orjson, what it needs costs the host 10 ms."""
    return name in sys.modules or any(finder.find_spec(name, None) is not None for finder in sys.meta_path)


def _load() -> Any:
    try:
        if not _is_there("orjson"):
            return None
        for name in _NEEDED:
            __import__(name)
        import orjson  # noqa: PLC0415 - may be missing, or built for another Python
    except Exception:  # noqa: BLE001 - whatever a broken extension module raises
        return None
    try:
        plain_only = (
            orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_SUBCLASS
        )
        works = orjson.dumps({"é": [1.5, True, None]}, option=plain_only) == b'{"\xc3\xa9":[1.5,true,null]}'
        works = works and orjson.loads(b'{"a":[1]}') == {"a": [1]} and bool(orjson.OPT_SORT_KEYS)
    except Exception:  # noqa: BLE001 - a version that is too old, or a stand-in
        return None
    return orjson if works else None


ORJSON: Final[Any] = _load()
