"""What a folder says of its tokenizer: its files, as they are, and which class of transformers reads them.

Read here and nowhere else, so that what names a run, what is built and what is compared are the same bytes.
"""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from thaw.errors import ConfigError, DataError, StorageError
from thaw.text.normalise import NORMALISER, WORD_BORDER

TWIN, VOCABULARY = "tokenizer.json", "vocab.txt"
SETTINGS, SPECIAL, ADDED = "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"
NAMES = (TWIN, VOCABULARY, SETTINGS, SPECIAL, ADDED)
MOST_BYTES = 1 << 26  # of one file; the largest vocabularies in use take half of it

# Classes of transformers, without "Fast": those that are BertTokenizer by another name, and those that take
# tokenizer.json as it is. ModernBERT's are the latter whatever they are called (transformers' tokenization_auto.py,
# MODELS_WITH_INCORRECT_HUB_TOKENIZER_CLASS).
BERT = {
    "BertTokenizer", "ConvBertTokenizer", "DistilBertTokenizer", "ElectraTokenizer", "LayoutLMTokenizer",
    "LxmertTokenizer", "MobileBertTokenizer", "SqueezeBertTokenizer",
}  # fmt: skip
GENERIC = {"PreTrainedTokenizer", "TokenizersBackend"}
_BERT_MODELS = {"bert", "distilbert", "electra"}
_OTHERS = ("tokenizer.model", "spiece.model", "sentencepiece.bpe.model", "spm.model", "vocab.json", "merges.txt")
TAKES_OVER = ("tokenizer.model", "tekken.json", "tiktoken.model")  # read instead of vocab.txt by AutoTokenizer
_REMEDY = "write it as tokenizer.json with transformers' save_pretrained"


@dataclass(frozen=True)
class Files:
    """The tokenizer's files of a folder; what is missing is empty, or None where that is another thing."""

    folder: Path
    raw: dict[str, bytes]  # of the files that are there
    model: str  # model_type of config.json, empty without it
    named: str  # tokenizer_class of tokenizer_config.json, else of config.json, without "Fast"

    @cached_property
    def twin(self) -> dict[str, Any] | None:
        """The content of tokenizer.json."""
        if TWIN not in self.raw:
            return None
        content = _json(self.raw[TWIN], f"damaged tokenizer in {self.folder}: {TWIN}")
        if not isinstance(content, dict) or not isinstance(content.get("model"), dict):
            raise StorageError(f"damaged tokenizer in {self.folder}: {TWIN} has no model, restore it or use another")
        return content

    @cached_property
    def lines(self) -> list[str]:
        """The lines of vocab.txt, one piece each: a line ends at LF, or at CR LF."""
        try:
            text = self.raw.get(VOCABULARY, b"").decode("utf-8")
        except UnicodeDecodeError as error:
            raise StorageError(
                f"damaged tokenizer in {self.folder}: {VOCABULARY} is not UTF-8, restore it or use another"
            ) from error
        lines = text.split("\n")
        return [line.removesuffix("\r") for line in (lines[:-1] if lines[-1] == "" else lines)]

    @cached_property
    def settings(self) -> dict[str, Any]:
        """The content of tokenizer_config.json."""
        return self._object(SETTINGS)

    @cached_property
    def special(self) -> dict[str, Any]:
        """The content of special_tokens_map.json."""
        return self._object(SPECIAL)

    @cached_property
    def added(self) -> dict[str, int]:
        """The content of added_tokens.json: token -> id."""
        return self._object(ADDED)

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of all that decides which ids a text gets."""
        digest = hashlib.sha256(f"{self.model} {self.named}".encode())
        for name, data in sorted(self.raw.items()):
            digest.update(f" {name} {hashlib.sha256(data).hexdigest()}".encode())
        return digest.hexdigest()

    @property
    def ours(self) -> bool:
        """Whether tokenizer.json has the rules of a tokenizer trained here, of which nothing is foreign."""
        twin = self.twin or {}
        marked = {"type": "Metaspace", "replacement": WORD_BORDER, "prepend_scheme": "always", "split": True}
        same = twin.get("normalizer") == json.loads(NORMALISER.__getstate__()) and twin.get("pre_tokenizer") == marked
        return same and twin["model"].get("type") in ("Unigram", "BPE")

    @property
    def family(self) -> str:
        """Which way AutoTokenizer reads the folder: ``bert``, ``generic`` (tokenizer.json as it is) or ``other``."""
        if self.model == "modernbert" or self.named in GENERIC:
            return "generic"
        if self.named:
            return "bert" if self.named in BERT else "other"
        if self.model in _BERT_MODELS or (not self.model and self.twin is None):
            return "bert"
        return "other" if self.model else "generic"

    def _object(self, name: str) -> dict[str, Any]:
        content = _json(self.raw.get(name, b"{}"), f"can not read {self.folder / name}: it")
        if not isinstance(content, dict):
            raise StorageError(f"damaged file: {self.folder / name} is no JSON object, restore it or use another")
        return content


def read(folder: Path) -> Files:
    """Return the files of ``folder``; ConfigError where it has neither tokenizer.json nor vocab.txt."""
    folder = Path(folder)
    raw = {name: _bytes(folder / name) for name in NAMES if (folder / name).is_file()}
    if TWIN not in raw and VOCABULARY not in raw:
        found = [name for name in _OTHERS if (folder / name).exists()]
        more = f"; {' and '.join(found)} there are not read: {_REMEDY}" if found else ""
        raise ConfigError(f"no tokenizer in {folder}: expected tokenizer.json or vocab.txt there{more}")
    network = _json(_bytes(folder / "config.json"), "") if (folder / "config.json").is_file() else {}
    network = network if isinstance(network, dict) else {}
    files = Files(folder, raw, str(network.get("model_type") or "")[:100], "")
    named = files.settings.get("tokenizer_class") or network.get("tokenizer_class") or ""
    return Files(folder, raw, files.model, str(named)[:100].removesuffix("Fast"))


def check(files: Files) -> None:
    """Raise DataError where AutoTokenizer would take other files than these, or none of them."""
    mapped = files.settings.get("auto_map")
    if mapped and (not isinstance(mapped, dict) or mapped.get("AutoTokenizer")):
        raise DataError(f"{SETTINGS} names code of its own in auto_map, which is not run: {_REMEDY}")
    versions = files.settings.get("fast_tokenizer_files")
    if isinstance(versions, list) and any(name != TWIN for name in versions):
        raise DataError(f"{SETTINGS} has fast_tokenizer_files={str(versions)[:80]}, only {TWIN} is read: {_REMEDY}")
    if files.settings.get("split_special_tokens"):
        raise DataError(f"{SETTINGS} has split_special_tokens=true, which is not honoured: remove it there")
    if files.twin is None and files.family != "bert":
        named = f"tokenizer_class={files.named!r}" if files.named else f"model_type={files.model!r}"
        if files.model == "modernbert":
            named = "model_type='modernbert'"
        raise DataError(f"{VOCABULARY} is not all that {named} reads, and {TWIN} is missing: {_REMEDY}")
    if files.twin is None:
        over = [name for name in TAKES_OVER if (files.folder / name).exists()]
        if over:
            raise DataError(
                f"it has both {VOCABULARY} and {over[0]}, of which AutoTokenizer reads the latter: {_REMEDY}"
            )


def _bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise StorageError(f"{path} is larger than {MOST_BYTES >> 20} MiB, no tokenizer's file is: use another")
        return path.read_bytes()
    except OSError as error:
        raise StorageError(f"can not read {path}: {error.strerror}") from error


def _json(data: bytes, what: str) -> Any:
    """Return the value of JSON; ``what`` begins the line when it is none, empty: None is returned."""
    try:
        return json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        if not what:
            return None
        raise StorageError(f"{what} is no JSON ({type(error).__name__}), restore it or use another") from error
