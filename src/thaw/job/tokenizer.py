"""The job of `thaw tokenizer`: train a tokenizer, say how it cuts the corpus and the tasks."""

from itertools import islice
from pathlib import Path
from typing import Any

from thaw import build
from thaw.config import TokenizerRun, identity
from thaw.task.read import read
from thaw.task.task import DataConfig
from thaw.text import corpus
from thaw.text.fertility import fertility
from thaw.track.identity import run_id

SAMPLE = 2000  # documents or examples a report looks at


def run(config: TokenizerRun) -> dict[str, Any]:
    """Return ``{"out", "vocab_size", "fingerprint", "fertility": {name: report}}``."""
    fields = {"tokenizer": identity(config.tokenizer), "corpus": corpus.fingerprint(config.corpus)}
    trained = build.tokenizer(config.tokenizer, config.corpus, fields, Path(config.cache.folder))
    out = Path(config.out) if config.out else Path(config.runs) / config.name / f"tokenizer-{run_id(fields)}"
    trained.save(out)
    reports = {"corpus": fertility(trained, islice(corpus.documents(config.corpus), SAMPLE))}
    for name, task in config.tasks.items():
        texts = [text for example in read(task, DataConfig()).train[:SAMPLE] for text in example.texts]
        reports[name] = fertility(trained, texts)
    return {"out": str(out), "vocab_size": trained.vocab_size, "fingerprint": trained.fingerprint, "fertility": reports}
