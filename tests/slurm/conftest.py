"""One Slurm for all tests of this folder; where there can be none they are skipped, with the reason."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cluster import Missing, Slurm, cluster

from thaw.text import corpus, tokenizer
from thaw.text.corpus import CorpusConfig
from thaw.text.tokenizer import TokenizerConfig

TEXT = "\n\n".join(f"The river {i} runs over warm stones under a bright sky in the cold night." for i in range(99))


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slurm]:
    """A Slurm that is up."""
    try:
        with cluster(tmp_path_factory.mktemp("slurm")) as slurm:
            yield slurm
    except Missing as why:
        pytest.skip(str(why))


@pytest.fixture
def slurm(running: Slurm) -> Slurm:
    """The Slurm, with the environment of this test."""
    own = {"HOME": os.environ["HOME"], "WANDB_MODE": "disabled", "OMP_NUM_THREADS": "1"}
    return Slurm(running.environment | own, running.root)


@pytest.fixture
def words(task_folder: Path, tmp_path: Path) -> str:
    """A transfer that takes a second when torch is there; give it a name and steps."""
    (tmp_path / "text.txt").write_text(TEXT)
    documents = corpus.documents(CorpusConfig(paths=[str(tmp_path / "text.txt")]))
    tokenizer.train(documents, TokenizerConfig(vocab_size=300)).save(tmp_path / "tokenizer")
    return (
        f"{sys.executable} -m thaw transfer task=files task.path={task_folder} task.kind=classes strategy=scratch"
        f" encoder=tiny encoder.hidden=32 encoder.intermediate=64 tokenizer=folder tokenizer.path={tmp_path}/tokenizer"
        " eval_every=4 data.batch_size=4 wandb=disabled trainer.threads=1 trainer.progress=false"
    )
