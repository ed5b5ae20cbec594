"""A foreign tokenizer is read by another process first, within limits, and there compared with transformers' own."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from thaw.errors import DataError, StorageError
from thaw.storage import told
from thaw.text.foreign.files import SETTINGS, Files

SECONDS, BYTES = 20, 4 << 30  # of a processor, of memory; the largest vocabularies in use take a tenth of each
_MORE_SECONDS, _MORE_BYTES = 180, 4 << 30  # to import transformers
_WALL = 3600  # seconds by the clock, for a process that waits for what never comes
_ABOUT_FILES = ("auto_map", "chat_template", "init_inputs", "tokenizer_object", "backend")  # and what ends so:
_FILE = "_file"

_passed: dict[tuple[str, bool, int], str] = {}  # what was asked -> what agreed


def probe(files: Files, compare: bool = False) -> str:
    """Raise DataError or StorageError for a tokenizer that crashes, hangs, or differs from AutoTokenizer on a text.

    Returns ``transformers <version>, <n> texts`` where ids were compared, else an empty text: without
    ``compare``, or without transformers. What passed once in this process is not read again.
    """
    key = (files.digest, compare, SECONDS)
    if key not in _passed:
        _passed[key] = _ask(files, compare)
    return _passed[key]


def _ask(files: Files, compare: bool) -> str:
    with tempfile.TemporaryDirectory(prefix="thaw-tokenizer-") as copy:
        with told(copy):
            if compare:
                _copy(files, Path(copy))
        limits = (SECONDS + _MORE_SECONDS * compare, BYTES + _MORE_BYTES * compare)
        words = [str(files.folder.absolute()), *map(str, limits), copy if compare else ""]
        answer = _run([sys.executable, "-P", "-m", "thaw.text.foreign.child", *words], limits[0])
    if answer["wrong"]:
        raise (StorageError if answer["damaged"] else DataError)(answer["wrong"])
    version = answer.get("transformers")
    return f"transformers {version}, {answer['texts']} texts" if version else ""


def _copy(files: Files, folder: Path) -> None:
    """Write the tokenizer's files, and of config.json what names the class; nothing that names a file."""
    for name, data in files.raw.items():
        (folder / name).write_bytes(data)
    settings = {name: value for name, value in files.settings.items() if name not in _ABOUT_FILES}
    settings = {name: value for name, value in settings.items() if not name.endswith(_FILE)}
    if SETTINGS in files.raw:
        (folder / SETTINGS).write_text(json.dumps(settings), encoding="utf-8")
    if files.model:
        network = {"model_type": files.model, **({"tokenizer_class": files.named} if files.named else {})}
        (folder / "config.json").write_text(json.dumps(network), encoding="utf-8")


def _run(command: list[str], seconds: int) -> dict[str, Any]:
    source = str(Path(__file__).resolve().parents[3])
    path = os.pathsep.join(filter(None, [source, os.environ.get("PYTHONPATH")]))
    quiet = {"TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error"}
    try:
        done = subprocess.run(
            command, env={**os.environ, **quiet, "PYTHONPATH": path}, capture_output=True, timeout=_WALL, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise DataError(f"the tokenizers library did not come to an end with it in {_WALL} s") from error
    except OSError as error:
        raise StorageError(f"can not start a process to check the tokenizer: {error.strerror}, free memory") from error
    try:
        answer = json.loads(done.stdout.decode("utf-8", "replace").splitlines()[-1])
    except (ValueError, IndexError):
        raise DataError(_died(done, seconds)) from None
    if not isinstance(answer, dict):
        raise DataError(_died(done, seconds))
    return answer


def _died(done: subprocess.CompletedProcess[bytes], seconds: int) -> str:
    if done.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        return f"the tokenizers library takes more than {seconds} s of a processor, or all memory, for short texts"
    if done.returncode < 0:
        return f"the tokenizers library dies of it (signal {-done.returncode})"
    last = " ".join((done.stderr.decode("utf-8", "replace").splitlines() or ["no reason told"])[-1].split())[:160]
    return f"the tokenizers library can not be tried on it ({last})"
