"""The commit of the git repository that a run is started in, which holds its user's configs and programs.

Decisions: nothing that the repository's own settings name is run (a file system monitor, a filter, a remote): files are
compared by git with empty settings, and by content as they lie there; untracked files do not make it dirty, since runs
are written beside them; what git can not tell in a few seconds is unknown.
"""

import os
import subprocess
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any

_SECONDS = 5.0
_MOST = 2000  # files that are compared by content
_ALONE = {"GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": "none", "GIT_TERMINAL_PROMPT": "0"}  # nothing is fetched
_SETTINGS = {  # of a repository, by the digits of its commits' names
    40: "[core]\nrepositoryformatversion = 0\n",
    64: "[core]\nrepositoryformatversion = 1\n[extensions]\nobjectFormat = sha256\n",
}


def repository() -> dict[str, Any] | None:
    """Return ``{"commit", "dirty"}`` of the working folder's repository, None where there is none.

    ``dirty`` says whether a tracked file differs from the commit, None where that is not known.
    """
    return _repository(os.getcwd())


@lru_cache(maxsize=8)
def _repository(folder: str) -> dict[str, Any] | None:
    commit = _git(folder, "rev-parse", "--verify", "HEAD^{commit}")
    paths = _git(folder, "rev-parse", "--show-toplevel", "--git-path", "objects", "--git-path", "index")
    if not commit or not paths:
        return None
    top, objects, index = (str(Path(folder, path)) for path in paths.splitlines())
    with tempfile.TemporaryDirectory() as empty:
        for name in ("objects", "refs"):
            Path(empty, name).mkdir()
        Path(empty, "HEAD").write_text("ref: refs/heads/none\n", "ascii")
        Path(empty, "config").write_text(_SETTINGS.get(len(commit.strip()), ""), "ascii")
        named = {"GIT_DIR": empty, "GIT_WORK_TREE": top, "GIT_OBJECT_DIRECTORY": objects, "GIT_INDEX_FILE": index}
        return {"commit": commit.strip(), "dirty": _dirty(commit.strip(), top, named)}


def _dirty(commit: str, top: str, named: dict[str, str]) -> bool | None:
    listed = _git(top, "diff-index", "-z", "--ignore-submodules=all", commit, "--", more=named)
    if listed is None:
        return None
    parts = listed.split("\0")[:-1]
    blobs: dict[str, str] = {}  # of files whose size or time is not what git last saw: it gives no new blob of them
    for about, path in zip(parts[::2], parts[1::2], strict=True):
        mode, new_mode, blob, new_blob, status = about.lstrip(":").split()
        if status != "M" or mode != new_mode or new_blob.strip("0") or "\n" in path:
            return True
        if mode not in ("100644", "100755"):  # a link
            return None
        blobs[path] = blob
    if len(blobs) > _MOST:
        return None
    names = "".join(f"{path}\n" for path in blobs)
    hashed = _git(top, "hash-object", "--no-filters", "--stdin-paths", given=names, more=named)
    return None if hashed is None else hashed.split() != list(blobs.values())


def _git(folder: str, *words: str, given: str = "", more: dict[str, str] | None = None) -> str | None:
    """Return what git prints, None where it fails, takes too long or is not there."""
    try:
        done = subprocess.run(
            ["git", "--no-optional-locks", "-c", "core.fsmonitor=false", *words], cwd=folder,
            env=os.environ | _ALONE | (more or {}), input=given, capture_output=True, timeout=_SECONDS, check=True,
            text=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    return done.stdout
