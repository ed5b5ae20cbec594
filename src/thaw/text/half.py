"""Half a character: one of the two numbers that UTF-16 writes a character with, alone.

The escapes of JSON and Python may hold one, UTF-8 and tokenizers can not.
"""

import re

_HALF = re.compile("[\ud800-\udfff]")


def whole(text: str) -> str:
    """Return a text with U+FFFD for every half character."""
    return _HALF.sub("\ufffd", text)
