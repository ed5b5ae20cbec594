"""``thaw report FOLDER --watch``: the page is written anew while a sweep runs, whenever a run has changed.

The page looks at a small file beside it, ``stamp.js``, and reloads itself when that has changed. Pictures are drawn
when nothing runs any more. A build takes no more than a third of the time, however large the study.
"""

import contextlib
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from thaw.errors import ConfigError
from thaw.report.collect import read
from thaw.report.out import Out
from thaw.report.page import write
from thaw.report.progress import Progress, progress, stamp
from thaw.report.wandb.place import is_place

STAMP = "stamp.js"
NO_RUN = "no run in"  # how the error of an empty folder begins


def watch(
    folders: Sequence[str],
    out: str | Path,
    *,
    title: str | None = None,
    question: str | None = None,
    every: float = 5.0,
    say: Callable[[str], None] = print,
    rounds: int | None = None,
    force: bool = False,
) -> Path:
    """Write the page again and again until Ctrl-C (or for ``rounds`` looks); return its path."""
    if any(is_place(str(folder)) for folder in folders):
        raise ConfigError("--watch looks at run folders on this machine, not at W&B, leave it out")
    to = Out(out, force=force)
    page, seen, pause, going, begun = Path(out) / "index.html", None, every, True, time.monotonic()
    with contextlib.suppress(KeyboardInterrupt):
        while rounds is None or rounds > 0:
            now = stamp(folders)
            if now != seen:
                started = time.monotonic()
                try:
                    study = read(*folders)
                except ConfigError as error:
                    if not str(error).startswith(NO_RUN):
                        raise
                    say(f"waiting: {error}")
                else:
                    found = progress(study)
                    going = found.going
                    to.refuse([STAMP])
                    write(study, out, title=title, question=question, pictures=not going, live=found, force=force)
                    to.write("stamp", {STAMP: f"thawStamp({json.dumps(str(now))});\n"})
                    say(f"{page}  {told(found)}")
                seen = now
                pause = max(every, 2 * (time.monotonic() - started))
            rounds = None if rounds is None else rounds - 1
            if rounds != 0:
                time.sleep(pause)
    say(f"stopped after {(time.monotonic() - begun) / 60:.0f} min, {page} stays")
    return page


def told(found: Progress) -> str:
    """Return the counts in words."""
    counts = [(len(found.running), "running"), (found.left, "left"), (found.finished, "finished")]
    counts += [(found.failed, "failed"), (found.interrupted, "interrupted")]
    return ", ".join(f"{n} {word}" for n, word in counts if n or word in ("running", "left"))
