"""``thaw import SOURCE OUT``: bring a BERT-family folder in as a checkpoint."""

from collections.abc import Mapping
from typing import Any

from thaw.cli.report import Parser


def main(argv: list[str]) -> int:
    """Import one encoder and say what it is; return the exit code."""
    parser = Parser(prog="thaw import", description="bring a BERT-family folder in as a checkpoint")
    parser.add_argument(
        "source", metavar="SOURCE", help="folder with config.json, model.safetensors and a tokenizer, or a hub name"
    )
    parser.add_argument("out", metavar="OUT", help="folder for the checkpoint, new or empty")
    arguments = parser.parse_args(argv)
    from thaw.encoder.hub import import_folder
    from thaw.job.tell import tell

    checkpoint = import_folder(arguments.source, arguments.out)
    config = checkpoint.encoder_config
    for note in _notes(checkpoint.lineage):
        tell(note)
    print(
        f"imported {config.name}: {config.layers} layers, hidden {config.hidden}, {checkpoint.vocab_size} pieces, "
        f"masked-word head: {'no' if checkpoint.mlm_state is None else 'yes'} -> {arguments.out}"
    )
    return 0


def _notes(lineage: Mapping[str, Any]) -> list[str]:
    """Return what was not compared, or is not honoured for some tasks, a line each."""
    notes = []
    if lineage.get("kind") == "import" and not lineage.get("ids_of"):
        notes.append("ids were not compared with transformers' AutoTokenizer: pip install 'thaw-nlp[hf]'")
    if lineage.get("frame_of_pairs"):
        notes.append(f"tasks of two texts will be refused for it: {lineage['frame_of_pairs']}")
    return notes
