"""The runs of a study as a pandas table, for notebooks: ``thaw.report.load("runs/my_study")``."""

from pathlib import Path
from typing import TYPE_CHECKING

from thaw.errors import ConfigError

if TYPE_CHECKING:
    import pandas


def load(*folders: str | Path) -> "pandas.DataFrame":
    """Return one line a run: the columns of result.json, ``state``, ``error``, ``folder``, and ``arm``.

    ``arm`` is the name under which the page shows a run: its strategy, with the checkpoint where there are several.
    ``config.<key>`` are the settings that differ between runs. Failed and unfinished runs are lines too.
    """
    try:
        import pandas
    except ImportError as error:
        raise ConfigError("pandas is not installed, which load() needs: pip install 'thaw-nlp[notebook]'") from error
    from thaw.report.arms import arms
    from thaw.report.collect import read
    from thaw.report.differences import differences

    study = read(*folders)
    arm_of = arms(study.runs)
    keys = [one.key for one in differences(study.runs)]
    lines = [
        {**run.row, "state": run.state, "error": run.error, "folder": str(run.folder)}
        | {"arm": arm_of[id(run)].label if id(run) in arm_of else None}
        | {f"config.{key}": run.config.get(key) for key in keys}
        for run in study.runs
    ]
    return pandas.DataFrame(lines)
