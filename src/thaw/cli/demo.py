"""``thaw demo``: the whole chain on real text from PyPI packages: pretrain, transfer in all ways, compare.

It is the study experiments/demo; a second call goes on where the first stopped.
"""

from thaw.cli import study
from thaw.cli.report import Parser


def main(argv: list[str]) -> int:
    """Run the demo; return the exit code."""
    parser = Parser(prog="thaw demo", description="The whole chain on real text, a quarter of an hour.")
    parser.add_argument("--out", default="report/demo", help="folder of the page (report/demo)")
    code = study.run("demo", [], parser.parse_args(argv).out)
    if not code:
        print("Next: thaw runs runs/demo   lists every run; README.md shows how to bring your own text and task.")
    return code
