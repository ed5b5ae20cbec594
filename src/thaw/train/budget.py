"""Budgets as people write them: steps, tokens or time. No torch here."""

import re

from thaw.errors import ConfigError

_AMOUNT = re.compile(r"(\d+(?:\.\d+)?)\s*([kKMG]?)")
_TIME = re.compile(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?")
_SCALE = {"": 1, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9}


def parse_count(text: str, key: str) -> int:
    """``"1M"`` -> 1000000; ``key`` names the field in the error."""
    match = _AMOUNT.fullmatch(text.strip())
    if not match:
        raise ConfigError(f"{key}={text} is not a number, write it like 500, 10k or 1.5M")
    return round(float(match[1]) * _SCALE[match[2]])


def parse_budget(text: str, key: str = "budget") -> tuple[str, float]:
    """Return ``("steps", n)``, ``("tokens", n)`` or ``("seconds", n)`` of "2000", "50M tokens" or "1h30m"."""
    words = text.strip()
    amount: tuple[str, float] | None = None
    if words.endswith("tokens"):
        amount = ("tokens", parse_count(words.removesuffix("tokens"), key))
    elif words.endswith("steps") or re.fullmatch(r"\d+(\.0)?", words):
        amount = ("steps", parse_count(words.removesuffix("steps"), key))
    elif words and (match := _TIME.fullmatch(words.replace(" ", ""))):
        hours, minutes, seconds = (float(part or 0) for part in match.groups())
        amount = ("seconds", 3600 * hours + 60 * minutes + seconds)
    if amount is None or amount[1] <= 0:
        raise ConfigError(f"{key}={text} is not a budget, write steps (2000), tokens (50M tokens) or time (1h30m)")
    return amount


def parse_time(text: str, key: str) -> float:
    """Return the seconds of a time like "1h30m"; ``key`` names the field in the error."""
    try:
        kind, seconds = parse_budget(text, key)
    except ConfigError:
        kind, seconds = "none", 0.0
    if kind != "seconds":
        raise ConfigError(f"{key}={text} is not a time, write it like 90s, 45m or 1h30m")
    return seconds
