"""Secrets are taken out before anything is written or sent.

Decisions: a value is secret by the name of its key, by standing in a URL before the ``@``, by being assigned to a
secret name inside a text (``api_key=...``, ``'api_key': '...'``), by a well-known shape, or by being the value of a
secret environment variable. Numbers are never secret, so ``num_tokens: 5`` stays; of names with ``token`` or ``key``
those that speak of text stay (``cls_token``, ``text_key``, ``tokenizer``), unless they speak of access too
(``text_api_key``) or are written as an environment variable (``TEXT_ANALYTICS_KEY``).
"""

import os
import re
from collections.abc import Iterable
from string import whitespace
from typing import Any

from thaw.track.plain import printable
from thaw.track.value import end

REDACTED = "[redacted]"

_ALWAYS = {"password", "passwd", "passphrase", "secret", "secrets", "credential", "credentials", "apikey", "pat"}
_ALWAYS |= {"passcode", "cookie", "signature", "jwt", "authorization", "sshpass", "pwd", "pswd", "passwords"}
_ALWAYS |= {"apikeys", "accesskey", "accesskeys", "authtoken", "authtokens", "accesstoken", "accesstokens"}
_OPENS = {"api", "access", "auth", "private", "refresh", "session", "bearer"}  # with a key or token of any number
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*_(?:KEY|TOKEN|PASS)")
_WHOLE = {"sig"}  # of Azure's addresses; "sig_level" is another thing
_LOGS_IN = {"db", "database", "user", "login", "admin", "root", "smtp", "mail", "ftp", "http", "proxy", "mysql", "pg"}
_FOLDERS = {"PWD", "OLDPWD"}  # the shell's
_ORDINARY = {  # words that make "token" or "key" an ordinary thing of this field
    *("cls", "sep", "mask", "masked", "pad", "padding", "unk", "unknown", "bos", "eos", "special", "num", "max", "min"),
    *("per", "count", "type", "types", "id", "ids", "length", "text", "label", "labels", "tags", "column", "sort"),
    *("primary", "foreign", "cache", "accuracy", "piece", "first", "last", "added", "extra", "a", "b", "metric"),
}
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_USER_INFO = re.compile(r"(?<=://)[^/?#\s]+(?=@)|(?:(?<=:/)|(?<=//))[^/?#\s:@]+:[^/?#\s]+(?=@)")  # to the last @
_ASSIGNED = re.compile(r"(?P<name>[A-Za-z][\w.-]*)(?P<sign>['\"]?\s*[=:]\s*)(?=\S)")
_FLAG = re.compile(r"(?P<name>--[a-z][\w-]*)(?P<sign>\s+)(?=[^\s-])")
_BEARER = re.compile(r"(?<=Bearer )\S+|(?<=Authorization: Token )\S+|(?<=Basic )[A-Za-z0-9+/]{8,}=*")
_SHAPES = re.compile(
    r"\b(?:hf_[A-Za-z0-9]{20,}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|sk-[\w-]{20,}"
    r"|AKIA[0-9A-Z]{16}|xox[abprs]-[\w-]{10,}|wandb_v1_\w{20,})"
)
_LEAST = 8  # characters: a shorter environment value would redact ordinary words


def is_secret(name: str) -> bool:
    """Return whether a key of this name (the last part of a dotted one) holds a secret when its value is a text."""
    last = name.rsplit(".", 1)[-1]
    words = {word.lower() for word in _WORDS.findall(last)}
    if last in _FOLDERS:
        return False
    if words & _ALWAYS or _VARIABLE.fullmatch(last) or last.lower() in _WHOLE:
        return True
    if (words & _OPENS and words & {"key", "keys", "token", "tokens"}) or ("pass" in words and words & _LOGS_IN):
        return True
    return bool(words & {"key", "token"}) and not words & _ORDINARY


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
    return _assigned(_FLAG, whitespace, _assigned(_ASSIGNED, f"{whitespace},;&'\"", text))


def _assigned(pattern: re.Pattern[str], stops: str, text: str) -> str:
    """Hide what is assigned to secret names; what is assigned to others may hold assignments itself."""
    done, at = "", 0
    while match := pattern.search(text, at):
        name, start, at = match["name"].lstrip("-"), at, match.end()
        done += text[start:at]
        if is_secret(name):
            stop = end(text, at, stops)
            prose = name.lower() in ("key", "token") and (
                ":" in match["sign"] or text[at:stop] == "value"
            )  # "token: 5"
            if stop > at and not prose:
                done, at = done + REDACTED, stop
    return done + text[at:]


def _environment_secrets() -> list[str]:
    """Return the values of secret environment variables, longest first."""
    values = [value for name, value in os.environ.items() if is_secret(name)]
    parts = [part for value in values for part in (value, *value.splitlines())]  # of a private key each line
    found = {part for part in parts if len(part) >= _LEAST}
    return sorted(found, key=len, reverse=True)
