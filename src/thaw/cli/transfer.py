"""``thaw transfer``: transfer to a task as ``conf/transfer.yaml`` and the command line say."""

from thaw.cli import sweep


def main(argv: list[str]) -> int:
    """Run the command; return the exit code."""
    return sweep.main("transfer", argv)
