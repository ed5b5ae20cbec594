"""Secrets are taken out before anything is written or sent.

Decisions: a value is secret by the name of its key, by standing in a URL before the ``@``, by being assigned to a
secret name inside a text (``api_key=...``, ``'api_key': '...'``), by a well-known shape, or by being the value of a
secret environment variable. Numbers are never secret, so ``num_tokens: 5`` stays; of names with ``token`` or ``key``
those that speak of text stay (``cls_token``, ``text_key``, ``tokenizer``).
"""

import os
import re
from collections.abc import Iterable
from typing import Any

from thaw.track.plain import printable

REDACTED = "[redacted]"

_ALWAYS = {"password", "passwd", "passphrase", "secret", "secrets", "credential", "credentials", "apikey", "pat"}
_ALWAYS |= {"passcode", "cookie", "signature", "jwt"}
_ORDINARY = {  # words that make "token" or "key" an ordinary thing of this field
    *("cls", "sep", "mask", "masked", "pad", "padding", "unk", "unknown", "bos", "eos", "special", "num", "max", "min"),
    *("per", "count", "type", "types", "id", "ids", "length", "text", "label", "labels", "tags", "column", "sort"),
    *("primary", "foreign", "cache", "accuracy", "piece", "first", "last", "added", "extra", "a", "b", "metric"),
}
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_USER_INFO = re.compile(r"(?<=://)[^/?#\s]+(?=@)|(?:(?<=:/)|(?<=//))[^/?#\s:@]+:[^/?#\s]+(?=@)")  # to the last @
_ASSIGNED = re.compile(r"(?P<name>[A-Za-z][\w.-]*)(?P<sign>['\"]?\s*[=:]\s*['\"]?)(?P<value>[^\s,;&'\"]+)")
_FLAG = re.compile(r"(?P<name>--[a-z][\w-]*)(?P<sign>\s+)(?P<value>[^\s-]\S*)")
_BEARER = re.compile(r"(?<=Bearer )\S+|(?<=Basic )[A-Za-z0-9+/]{8,}=*")
_SHAPES = re.compile(
    r"\b(?:hf_[A-Za-z0-9]{20,}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|sk-[\w-]{20,}"
    r"|AKIA[0-9A-Z]{16}|xox[abprs]-[\w-]{10,}|wandb_v1_\w{20,})"
)
_LEAST = 8  # characters: a shorter environment value would redact ordinary words


def is_secret(name: str) -> bool:
    """Return whether a key of this name (the last part of a dotted one) holds a secret when its value is a text."""
    words = [word.lower() for word in _WORDS.findall(name.rsplit(".", 1)[-1])]
    if _ALWAYS.intersection(words):
        return True
    if "tokens" in words and "auth" in words:
        return True
    return bool({"key", "token"}.intersection(words)) and not _ORDINARY.intersection(words)


def redact(value: Any) -> Any:
    """Return a copy of nested plain values with every secret text replaced by ``[redacted]``."""
    return _redact(value, _environment_secrets())


def shown(text: str) -> str:
    """Return a text as a terminal may show it: no secrets, nothing it would obey."""
    return printable(str(redact(text)))


def _redact(value: Any, known: list[str]) -> Any:
    if isinstance(value, dict):
        return {key: _hidden(one) if is_secret(str(key)) else _redact(one, known) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_redact(one, known) for one in value]
    return _text(value, known) if isinstance(value, str) else value


def _hidden(value: Any) -> Any:
    """Hide every text under a secret key; numbers, booleans and None say nothing."""
    if isinstance(value, dict):
        return {key: _hidden(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_hidden(one) for one in value]
    return REDACTED if isinstance(value, str) and value else value


def _text(text: str, known: Iterable[str]) -> str:
    for secret in known:
        text = text.replace(secret, REDACTED)
    text = _SHAPES.sub(REDACTED, _BEARER.sub(REDACTED, _USER_INFO.sub(REDACTED, text)))
    return _assigned(_FLAG, _assigned(_ASSIGNED, text))


def _assigned(pattern: re.Pattern[str], text: str) -> str:
    """Hide what is assigned to secret names; what is assigned to others may hold assignments itself."""
    done, at = "", 0
    while match := pattern.search(text, at):
        name = match["name"].lstrip("-")
        prose = name.lower() in ("key", "token") and (":" in match["sign"] or match["value"] == "value")  # "token: 5"
        secret = is_secret(name) and not prose
        done += text[at : match.start("value")] + (REDACTED if secret else "")
        at = match.end() if secret else match.start("value")
    return done + text[at:]


def _environment_secrets() -> list[str]:
    """Return the values of secret environment variables, longest first."""
    found = {value for name, value in os.environ.items() if is_secret(name) and len(value) >= _LEAST}
    return sorted(found, key=len, reverse=True)
