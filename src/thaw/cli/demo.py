"""``thaw demo``: the whole chain on real text from PyPI packages: pretrain, transfer in all ways, compare.

It is the study experiments/demo; a second call goes on where the first stopped.
"""

from thaw.cli import study
from thaw.cli.report import FORCE, Parser
from thaw.track.lock import TAKE_OVER, taking_over


def main(argv: list[str]) -> int:
    """Run the demo; return the exit code."""
    parser = Parser(prog="thaw demo", description="The whole chain on real text, a quarter of an hour.")
    parser.add_argument("--out", default="report/demo", help="folder of the page (report/demo)")
    parser.add_argument("--force", action="store_true", help=FORCE)
    parser.add_argument("--take-over", action="store_true", help=TAKE_OVER)
    flags = parser.parse_args(argv)
    with taking_over(flags.take_over):
        code = study.run("demo", [], flags.out, force=flags.force)
    if not code:
        print("Next: thaw runs runs/demo   lists every run; README.md shows how to bring your own text and task.")
    return code
