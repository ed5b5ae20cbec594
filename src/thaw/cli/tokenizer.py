"""``thaw tokenizer``: train a tokenizer as ``conf/tokenize.yaml`` and the command line say."""

from thaw.cli import sweep


def main(argv: list[str]) -> int:
    """Run the command; return the exit code."""
    return sweep.main("tokenizer", argv)
