"""A run is named by what it is: its id is a hash of the identity fields of its config."""

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

from thaw.errors import ConfigError
from thaw.track.plain import plain

DIGITS = 10  # 40 bits: a study of 10,000 runs meets a collision with probability 5e-5


def run_id(identity: Mapping[str, Any]) -> str:
    """Return 10 hexadecimal digits of the SHA-256 of ``identity`` as canonical JSON.

    The order of keys, tuple or list, and ``1`` or ``1.0`` do not matter. Inputs belong here by content (sha256 of
    file, checkpoint, tokenizer), never by path.
    """
    text = json.dumps(_canonical(identity), sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:DIGITS]


def _canonical(value: Any, where: str = "") -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(f"not a finite number: {where}={value}, give a number")
    if isinstance(value, Mapping):
        return {str(plain(key)): _canonical(one, f"{where}.{key}".lstrip(".")) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_canonical(one, f"{where}[{number}]") for number, one in enumerate(value)]
    value = plain(value)
    return int(value) if isinstance(value, float) and value.is_integer() else value
