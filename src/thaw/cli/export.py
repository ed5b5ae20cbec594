"""``thaw export CHECKPOINT OUT``: a transferred model as a folder for transformers."""

from thaw.cli.report import Parser


def main(argv: list[str]) -> int:
    """Export one transferred checkpoint and say what loads it; return the exit code."""
    parser = Parser(prog="thaw export", description="write a transferred model as a folder for transformers")
    parser.add_argument("checkpoint", metavar="CHECKPOINT", help="checkpoint of a transfer run that kept it")
    parser.add_argument("out", metavar="OUT", help="folder for the exported model, new or empty")
    arguments = parser.parse_args(argv)
    from thaw.encoder.export import export

    architecture = export(arguments.checkpoint, arguments.out)
    print(f"exported: transformers.{architecture}.from_pretrained('{arguments.out}')")
    return 0
