"""Encoders from elsewhere: BERT-family folders, and names on the Hugging Face hub.

Decisions: weights come from safetensors only, a pickle is refused; a config that asks for another computation than
ours is refused rather than approximated; a pooler and heads are left behind, except the masked-word head.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from thaw.encoder import checkpoint as checkpoints
from thaw.encoder.checkpoint import HEAD_WEIGHTS, Checkpoint, read_tensors
from thaw.encoder.dialects import DIALECTS, read_config
from thaw.encoder.manifest import CONFIG, MANIFEST, WEIGHTS, fingerprint_of, read_json
from thaw.errors import ConfigError, DataError
from thaw.storage import recover, sha256_file, told
from thaw.text.foreign.files import NAMES, TAKES_OVER
from thaw.text.hub import door, hint
from thaw.text.tokenizer import Tokenizer

_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl", "*.h5", "*.msgpack")
_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(/[\w.-]+)?")


def read(folder: Path | str, compare: bool = False) -> Checkpoint:
    """Read any folder that holds an encoder: a checkpoint folder, or one of the BERT family.

    With ``compare`` the ids of a foreign tokenizer are compared with those of transformers' AutoTokenizer. Raises
    DataError for a tokenizer that is not honoured and for weights that are not finite.
    """
    folder = Path(folder)
    recover(folder)
    if not folder.is_dir():
        raise ConfigError(f"no such checkpoint: {folder} is not a folder{hint(str(folder))}")
    ours = (folder / MANIFEST).is_file()
    found = checkpoints.load(folder) if ours else _read_bert(folder, folder.name, compare)
    if ours:
        for file, state in ((WEIGHTS, found.state), (WEIGHTS, found.mlm_state), (HEAD_WEIGHTS, found.head_state)):
            refuse_not_finite(folder / file, state or {})
    found.fitting(found.encoder_config)  # also where only the shape is taken: a random encoder of it must fit memory
    return found


def import_folder(source: Path | str, out: Path | str) -> Checkpoint:
    """Bring a BERT-family folder, or a model of the hub by its name, in as a checkpoint folder at ``out``.

    The folder has config.json, model.safetensors and tokenizer.json or vocab.txt; what lies in its sub-folders
    (sentence encoders have some) is not read. Hidden states and ids equal those of transformers.
    """
    refuse_full(out)
    folder = Path(source)
    name = folder.resolve().name if folder.is_dir() else str(source)
    imported = read(folder, compare=True) if folder.is_dir() else _read_bert(_download(str(source)), name, compare=True)
    imported.encoder()  # names what is missing before anything is written
    title = imported.encoder_config.name
    card = f"# {title}\n\nAn encoder imported by Thaw from `{name}`. Its licence is that of the source.\n"
    checkpoints.write(out, imported, card)
    return checkpoints.load(out)


def refuse_full(out: Path | str) -> None:
    """Raise ConfigError when ``out`` holds anything, since a folder is replaced as a whole."""
    out = Path(out)
    with told(out):
        full = out.exists() and (not out.is_dir() or any(out.iterdir()))
    if full:
        raise ConfigError(f"{out} exists and is not an empty folder, remove it or choose another")


def refuse_not_finite(path: Path, weights: Mapping[str, Tensor]) -> None:
    """Raise DataError naming the first of the tensors of ``path``, by name, that has a value that is no number."""
    for name in sorted(weights):
        tensor = weights[name]
        if tensor.is_floating_point() and not (finite := tensor.isfinite()).all():
            count = int(finite.numel() - finite.sum())
            raise DataError(
                f"{path}: {count} of the {tensor.numel()} values of {name} are not finite (NaN, infinite or beyond "
                "float32), use weights from before the training diverged"
            )


def _read_bert(folder: Path, name: str, compare: bool) -> Checkpoint:
    config_file, weights_file = folder / CONFIG, folder / WEIGHTS
    if not config_file.is_file():
        raise ConfigError(f"not an encoder: {folder} has no {CONFIG}, give a BERT-family folder")
    settings = read_json(config_file, ConfigError)
    config, vocab_size = read_config(settings, str(config_file), _own_name(settings) or name)
    if not weights_file.is_file():
        raise ConfigError(_no_weights(folder))
    weights, dialect = read_tensors(weights_file), DIALECTS[config.dialect]
    refuse_not_finite(weights_file, weights)
    tokenizer = Tokenizer.load(folder, compare)
    if tokenizer.vocab_size > vocab_size:
        (beyond,) = tokenizer.pieces([tokenizer.vocab_size - 1])
        raise ConfigError(
            f"{folder} has a tokenizer of {tokenizer.vocab_size} pieces but an encoder of {vocab_size}: "
            f"{beyond[:60]!r} has no vector, take both from one model"
        )
    if framed := tokenizer.frame():
        raise DataError(f"{folder}: {framed}, which is not honoured")
    files = {CONFIG: sha256_file(config_file), WEIGHTS: sha256_file(weights_file)}
    return Checkpoint(
        encoder_config=config,
        vocab_size=vocab_size,
        tokenizer=tokenizer,
        state=dialect.from_names(weights, config.layers),
        mlm_state=dialect.mlm_from_names(weights),
        head_state=None,
        head_config=None,
        lineage={
            "kind": "import",
            "source": name,
            "files": files,
            "tokenizer": tokenizer.fingerprint,
            "ids_of": tokenizer.compared or None,
            "frame_of_pairs": tokenizer.frame(pair=True) or None,
        },
        fingerprint=fingerprint_of(files),
    )


def _own_name(settings: Any) -> str:
    """Return the model's own name, which says more than its folder's; empty when the config has none."""
    given = settings.get("_name_or_path", "") if isinstance(settings, dict) else ""
    name = str(given).rstrip("/").rsplit("/", 1)[-1]
    return name if re.fullmatch(r"[\w.-]{3,80}", name) else ""


def _no_weights(folder: Path) -> str:
    if (folder / f"{WEIGHTS}.index.json").is_file():
        return f"{folder} has its weights in several files, save them as one {WEIGHTS}"
    pickles = sorted(path.name for pattern in _PICKLES for path in folder.glob(pattern))
    if pickles:
        return (
            f"{folder} has no {WEIGHTS}, and {pickles[0]} is not opened since it may run code: "
            "convert it where you trust it, with transformers' save_pretrained"
        )
    return f"{folder} has no {WEIGHTS}, give a BERT-family folder with safetensors"


def _download(name: str) -> Path:
    """Return the local folder of a model on the Hugging Face hub, config, safetensors and tokenizer only."""
    if not _HUB_NAME.fullmatch(name):
        raise ConfigError(f"no such folder: {name}")
    instead = f"give a folder with {CONFIG}, {WEIGHTS} and tokenizer.json"
    with door(f"no such folder: {name}, and the Hugging Face hub did not give it", name, instead):
        from huggingface_hub import snapshot_download

        return Path(snapshot_download(name, allow_patterns=[CONFIG, WEIGHTS, *NAMES, *TAKES_OVER], etag_timeout=5))
