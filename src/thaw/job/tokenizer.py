"""The job of `thaw tokenizer`: train a tokenizer, say how it cuts the corpus and the tasks."""

import json
from pathlib import Path
from typing import Any

from thaw import build
from thaw.config import TokenizerRun
from thaw.errors import ConfigError
from thaw.job.identity import tokenizer_fields, tokenizer_folder
from thaw.job.links import corpus_links
from thaw.job.tell import tell
from thaw.storage import atomic_folder
from thaw.task.read import read
from thaw.task.task import DataConfig
from thaw.text import corpus
from thaw.text.fertility import fertility
from thaw.text.tokenizer import sample

SAMPLE = 2000  # documents or examples a report looks at
REPORT = "fertility.json"
FILES = {"spiece.model", "tokenizer.json", "tokenizer_config.json", REPORT}


def run(config: TokenizerRun) -> dict[str, Any]:
    """Return ``{"out", "vocab_size", "fingerprint", "fertility": {name: report}}``; ``out`` holds the report too."""
    out = tokenizer_folder(config)
    if out.is_dir() and (others := {path.name for path in out.iterdir()} - FILES):
        raise ConfigError(
            f"out={out} holds {sorted(others)[0]}, which is not a tokenizer's, give a new or empty folder"
        )
    if note := corpus_links(config.corpus):
        tell(note)
    fields, cache = tokenizer_fields(config), Path(config.cache.folder)
    trained = build.tokenizer(config.tokenizer, config.corpus, fields, cache, tell)
    reports = {"corpus": fertility(trained, sample(corpus.documents(config.corpus), SAMPLE, 0))}
    for name, task in config.tasks.items():
        texts = [text for example in read(task, DataConfig()).train[:SAMPLE] for text in example.texts]
        reports[name] = fertility(trained, texts)
    with atomic_folder(out) as temporary:
        trained.save(temporary)
        (temporary / REPORT).write_text(json.dumps(reports, indent=2) + "\n", "utf-8")
    return {"out": str(out), "vocab_size": trained.vocab_size, "fingerprint": trained.fingerprint, "fertility": reports}
