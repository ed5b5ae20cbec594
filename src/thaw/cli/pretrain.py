"""``thaw pretrain``: pretrain an encoder as ``conf/pretrain.yaml`` and the command line say."""

from thaw.cli import sweep


def main(argv: list[str]) -> int:
    """Run the command; return the exit code."""
    return sweep.main("pretrain", argv)
