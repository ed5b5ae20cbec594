"""The process that reads a foreign tokenizer before any other does: its crash or its hang ends here.

``python -m thaw.text.foreign.child FOLDER SECONDS BYTES COPY``: reads FOLDER within so many seconds of a processor and
bytes of memory, encodes sample texts, and compares the ids with those of transformers' AutoTokenizer on COPY unless
that is empty. Prints one line of JSON: what is wrong (null: nothing), whether that is the data's fault or the files are
damaged, the version of transformers that agreed, and the number of texts.
"""

import contextlib
import json
import resource
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from thaw.errors import StorageError, ThawError
from thaw.text.foreign import agreement, bounds, samples, tokens, twin
from thaw.text.foreign import files as folder_files

_IDS = 12  # shown of a difference
_FRAMED = 20  # texts with the special pieces around them


def main(folder: str, seconds: str, size: str, copy: str) -> dict[str, Any]:
    """Return what is to be printed."""
    for kind, most in (
        (resource.RLIMIT_CPU, int(seconds)),
        (resource.RLIMIT_DATA, int(size)),
        (resource.RLIMIT_CORE, 0),
    ):
        with contextlib.suppress(ValueError, OSError):  # a lower limit is in force
            resource.setrlimit(kind, (most, most))
    try:
        files = folder_files.read(Path(folder))
        agreement.check(files)
        ours = twin.build(files)
        ours.no_truncation()
        ours.no_padding()
        ours.encode_special_tokens = True
        special = tokens.roles(files)
        added = [token.content for token in tokens.matched(files)]
        texts = samples.texts(ours.get_vocab(), added, special, bounds.letters(files))
        ids = _ids(ours, texts)
        framed = [ours.encode(text).ids for text in texts[:_FRAMED]]
        version = wrong = None
        if copy:
            version, wrong = _compare(copy, ours, texts, ids, framed, added, special)
        if version is None and wrong is None and files.family == "other" and not files.ours:
            wrong = _unproven(files, bool(copy))
        del ours
    except ThawError as error:
        return {"wrong": str(error), "damaged": isinstance(error, StorageError)}
    except BaseException as error:  # a panic of the library is no Exception
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:160]
        return {"wrong": f"the tokenizers library fails on it ({reason})", "damaged": True}
    return {"wrong": wrong, "damaged": False, "transformers": version, "texts": len(texts)}


def _ids(ours: Any, texts: list[str]) -> list[list[int]]:
    return [ours.encode(text, add_special_tokens=False).ids for text in texts]


def _compare(
    copy: str, ours: Any, texts: list[str], ids: list[list[int]], framed: list[list[int]], added: list[str],
    special: Sequence[str],
) -> tuple[str | None, str | None]:  # fmt: skip
    """Return the version of transformers, None where it is missing, and the first difference.

    ``added`` and ``special`` are the pieces that we know of: texts are made of those that AutoTokenizer has besides.
    """
    try:
        import transformers
        from transformers import AutoTokenizer
    except ImportError:
        return None, None
    version = str(transformers.__version__)
    around = texts[: len(framed)]
    try:
        auto = AutoTokenizer.from_pretrained(copy, local_files_only=True)  # the copy names no code of its own
        others = {str(token) for token in auto.added_tokens_decoder.values()} - {*added, *special}
        more = samples.texts(ours.get_vocab(), others, special) if others else []
        texts, ids = texts + more, ids + _ids(ours, more)
        theirs = [auto(text, add_special_tokens=False)["input_ids"] for text in texts]
        theirs += [auto(text)["input_ids"] for text in around]
    except Exception as error:  # each class of tokenizer has errors of its own
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:160]
        return version, f"transformers' AutoTokenizer can not read it ({reason}), so that there are no ids to go by"
    for text, found, wanted in zip(texts + around, ids + framed, theirs, strict=True):
        if found != wanted:
            at = next((n for n, pair in enumerate(zip(found, wanted, strict=False)) if pair[0] != pair[1]), 0)
            at = max(0, at - 2)
            return version, (
                f"the text {text[:60]!r} has the ids {found[at : at + _IDS]} here and {list(wanted)[at : at + _IDS]} "
                f"in transformers' AutoTokenizer (from the {at + 1}. on), which reads its rules otherwise: not imported"
            )
    return version, None


def _unproven(files: folder_files.Files, asked: bool) -> str:
    named = f"tokenizer_class={files.named!r}" if files.named else f"model_type={files.model!r}"
    remedy = "pip install 'thaw-nlp[hf]'" if asked else "bring it in with `thaw import`"
    return f"only a comparison with transformers tells whether {named} has the ids of {folder_files.TWIN}: {remedy}"


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:5])))
