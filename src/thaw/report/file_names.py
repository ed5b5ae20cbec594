"""Names of files for what has a name of its own, such as a task: distinct whatever its letters, and short.

Decision: a name of small ASCII letters, digits, dashes and underscores is kept, so that the usual names stay as people
type them; any other one becomes what is left of it and the start of its SHA-256. So two names never meet in one file,
on file systems that know no capitals either, and no name is longer than a file system takes.
"""

import hashlib
import re

LONGEST = 64  # characters; a file system takes 255 bytes, of which temporary files need some hundred
DIGITS = 8
_PLAIN = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")
_AS_IF_DIGEST = re.compile(rf"-[0-9a-f]{{{DIGITS}}}$")  # no name may look like that of another one


def file_name(*parts: str) -> str:
    """Return ``parts`` as one name for a file without its ending, also good for a label of LaTeX and an id of HTML."""
    named = [part for part in parts if part]
    text = "-".join(named)
    clear = len(named) < 3 or not any("-" in part for part in named[1:])  # a-b, c and a, b-c are two names
    if clear and len(text) <= LONGEST and _PLAIN.fullmatch(text) and not _AS_IF_DIGEST.search(text):
        return text
    digest = hashlib.sha256("\0".join(named).encode("utf-8", "surrogatepass")).hexdigest()[:DIGITS]
    rest = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[: LONGEST - DIGITS - 1].rstrip("-")
    return f"{rest}-{digest}" if rest else digest
