"""A Hugging Face data set to rows (extra ``hf``); integer labels get the names the data set declares."""

from typing import Any

from thaw.task.table import Table
from thaw.task.task import TaskConfig
from thaw.text.hub import door


def read_hub(task: TaskConfig, split: str) -> Table:
    """Read one split of ``task.hub``, a name or a folder; ConfigError without the library, the network or the split."""
    assert task.hub is not None
    with door(f"task.hub={task.hub} split {split} can not be read", task.hub, "give files with task.path=DIR"):
        import datasets

        data = datasets.load_dataset(task.hub, task.hub_config, split=split, revision=task.hub_revision)
    return Table(where=f"{task.hub}:{split}", rows=list(enumerate(data, 1)), names=_names(data.features), hub=True)


def _names(features: Any) -> dict[str, list[str]]:
    """Return the names of each column of ClassLabel, or of sequences of them."""
    found = {}
    for column, feature in features.items():
        names = getattr(feature, "names", None) or getattr(getattr(feature, "feature", None), "names", None)
        if names:
            found[column] = list(names)
    return found
