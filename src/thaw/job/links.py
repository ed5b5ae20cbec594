"""Links in a folder of texts that lead out of it are told: what is read is not what the folder seems to hold."""

import os
from collections.abc import Sequence
from pathlib import Path

from thaw.task.files import split_files
from thaw.task.task import TaskConfig
from thaw.text import files
from thaw.text.corpus import HELD_OUT, CorpusConfig

SHOWN = 3  # links that a line names


def corpus_links(config: CorpusConfig) -> str:
    """Return what to tell of the links in the folders of a corpus, "" where none leads out of its folder."""
    found = [link for pattern in config.paths for link in files.links_out(pattern)]
    found += [link for pattern in config.exclude for link in files.links_out(pattern, HELD_OUT)]
    return _told("the corpus", list(dict.fromkeys(found)))


def task_links(config: TaskConfig) -> str:
    """Return what to tell of the files of a task, "" where none is a link that leads out of the task's folder."""
    folder = Path(config.path).expanduser() if config.path else None
    if folder is None or not folder.is_dir():
        return ""
    inside = os.path.realpath(folder)
    links = [file for file in split_files(folder).values() if file.is_symlink()]
    return _told("the task", [one for one in links if not Path(os.path.realpath(one)).is_relative_to(inside)])


def _told(what: str, links: Sequence[Path]) -> str:
    """Return one line: what is read from elsewhere, which folders are not followed."""
    parts = []
    for is_folder, then in ((False, "they are read from there"), (True, "links to folders are not followed")):
        chosen = [link for link in links if link.is_dir() == is_folder]
        if chosen:
            shown = ", ".join(f"{link} -> {os.path.realpath(link)}" for link in chosen[:SHOWN])
            more = f" and {len(chosen) - SHOWN} more" if len(chosen) > SHOWN else ""
            parts.append(f"{what} has links out of its folder, {then}: {shown}{more}")
    return "; ".join(parts)
