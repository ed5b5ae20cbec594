"""``thaw predict CHECKPOINT FILE``: one JSON line with the prediction for each example of a file."""

import json
import sys
from pathlib import Path

from thaw.cli.report import Parser
from thaw.storage import write_text
from thaw.track.plain import printable


def main(argv: list[str]) -> int:
    """Label a file."""
    parser = Parser(prog="thaw predict", description="Label the texts of a file (JSONL, CSV, TSV, SQuAD).")
    parser.add_argument(
        "checkpoint", help="folder that `thaw transfer … keep=true` wrote: runs/<name>/<run id>/checkpoint"
    )
    parser.add_argument("file", help="examples in the task's format; labels are not needed and not looked at")
    parser.add_argument("--out", help="file to write instead of the standard output")
    given = parser.parse_args(argv)
    from thaw.job.predict import run

    lines = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in run(given.checkpoint, given.file))
    if given.out:
        write_text(Path(given.out), lines)
    else:
        sys.stdout.write(printable(lines) if sys.stdout.isatty() else lines)  # labels may be someone else's
    return 0
