"""Where a value that is written in a text ends: at the quote or bracket that closes it, else before a stop."""

_CLOSES = {"[": "]", "{": "}"}


def end(text: str, start: int, stops: str) -> int:
    """Return the place after the value that begins at ``start``.

    What is in quotes or brackets at its beginning belongs to it, whatever stands in between. From there it ends before
    the first of ``stops``, or the first bracket that closes another, that has no backslash before it.
    """
    at = start
    while text[at : at + 1] in ("'", '"', *_CLOSES):
        at = _closed(text, at)
    stops += "]})" if at > start else ""
    while at < len(text) and text[at] not in stops:
        at += 2 if text[at] == "\\" else 1
    return min(at, len(text))


def _closed(text: str, start: int) -> int:
    """Return the place after the quote or bracket that closes the one at ``start``, that of the end without it."""
    quote, closing, at = "", "", start
    while at < len(text):
        letter = text[at]
        if letter == "\\":
            at += 1
        elif quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        elif letter in _CLOSES:
            closing += _CLOSES[letter]
        elif letter == closing[-1:]:
            closing = closing[:-1]
        at += 1
        if not quote and not closing:
            break
    return min(at, len(text))
