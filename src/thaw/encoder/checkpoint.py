"""The checkpoint folder: an encoder, its tokenizer and what was learnt with it, as a Hugging Face folder.

Decisions: weights under BERT's or ModernBERT's names in float32 safetensors, so that transformers loads them without
our code; settings in JSON, nothing pickled; the manifest is written last and checked before anything is read.
"""

import copy
import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor, nn

from thaw.encoder.config import EncoderConfig
from thaw.encoder.dialects import DIALECTS, read_config
from thaw.encoder.manifest import CONFIG, WEIGHTS, fingerprint, fingerprint_of, read_json, verify, write_manifest
from thaw.encoder.model import Encoder
from thaw.encoder.names import difference
from thaw.errors import ConfigError, StorageError
from thaw.storage import atomic_folder
from thaw.text.tokenizer import Tokenizer

__all__ = ["Checkpoint", "fingerprint", "load", "save", "write"]

_REAL = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
_PARAMETERS = ("weight", "bias", "gamma", "beta")  # the last part of a name; buffers of ids are whole numbers
HEAD_WEIGHTS, HEAD_CONFIG, LINEAGE, CARD = "head.safetensors", "head.json", "lineage.json", "README.md"


@dataclass(kw_only=True)
class Checkpoint:
    """What a checkpoint folder holds, in memory, on the CPU."""

    encoder_config: EncoderConfig
    vocab_size: int
    tokenizer: Tokenizer
    state: dict[str, Tensor]  # the encoder's, by our names
    mlm_state: dict[str, Tensor] | None  # of objective.mlm.MLMHead, without the shared weight
    head_state: dict[str, Tensor] | None  # of a task's head
    head_config: dict[str, Any] | None  # how to build that head
    lineage: dict[str, Any]
    fingerprint: str  # SHA-256 of config and weights

    def encoder(self, *, dropout: float | None = None) -> Encoder:
        """Return a new encoder with these weights; ``dropout`` replaces both dropout rates where given."""
        config = copy.copy(self.encoder_config)
        if dropout is not None:
            config = dataclasses.replace(config, dropout=dropout, attention_dropout=dropout)
        encoder = self.fitting(config)
        encoder.load_state_dict({name: tensor.clone() for name, tensor in self.state.items()}, assign=True)
        return encoder

    def fitting(self, config: EncoderConfig) -> Encoder:
        """Return an encoder without memory that the weights fit; StorageError naming those that do not."""
        with torch.device("meta"):
            encoder = Encoder(config, self.vocab_size)
        wrong = difference(encoder.state_dict(), self.state)
        if wrong:
            raise StorageError(f"the weights do not fit the encoder (- missing, + unexpected, ! shape): {wrong}")
        return encoder


def save(
    folder: Path | str,
    *,
    encoder: Encoder,
    tokenizer: Tokenizer,
    mlm_head: nn.Module | None = None,
    head_state: Mapping[str, Tensor] | None = None,
    head_config: Mapping[str, Any] | None = None,
    lineage: Mapping[str, Any],
    card: str,
) -> None:
    """Write a checkpoint folder, all of it or nothing.

    ``AutoModel`` and ``AutoTokenizer`` load it, with ``mlm_head`` ``AutoModelForMaskedLM`` too. A task's head, which
    transformers does not know, is ``head_state`` with its ``head_config`` (JSON values).
    """
    checkpoint = Checkpoint(
        encoder_config=encoder.config,
        vocab_size=encoder.vocab_size,
        tokenizer=tokenizer,
        state=encoder.state_dict(),
        mlm_state=None if mlm_head is None else mlm_head.state_dict(),
        head_state=None if head_state is None else dict(head_state),
        head_config=None if head_config is None else dict(head_config),
        lineage=dict(lineage),
        fingerprint="",
    )
    write(folder, checkpoint, card)


def write(folder: Path | str, checkpoint: Checkpoint, card: str) -> None:
    """Write a checkpoint that is in memory as a folder, all of it or nothing; its fingerprint is made anew."""
    if (checkpoint.head_state is None) != (checkpoint.head_config is None):
        raise ValueError("head_state and head_config go together")
    tokenizer, vocab_size = checkpoint.tokenizer, checkpoint.vocab_size
    if tokenizer.vocab_size > vocab_size:
        raise ConfigError(
            f"the tokenizer has {tokenizer.vocab_size} pieces, the encoder {vocab_size}: use the encoder's tokenizer"
        )
    dialect = DIALECTS[checkpoint.encoder_config.dialect]
    weights, architecture = dialect.to_names(checkpoint.state), dialect.model
    if checkpoint.mlm_state is not None:
        weights = {dialect.prefix + name: tensor for name, tensor in weights.items()}
        weights |= dialect.mlm_to_names(checkpoint.mlm_state)
        architecture = dialect.masked
    config = dialect.to_config(checkpoint.encoder_config, vocab_size, tokenizer.pad_id, architecture)
    with atomic_folder(folder) as temporary:
        write_json(temporary / CONFIG, config)
        write_tensors(temporary / WEIGHTS, weights)
        if checkpoint.head_state is not None:
            write_tensors(temporary / HEAD_WEIGHTS, checkpoint.head_state)
            write_json(temporary / HEAD_CONFIG, checkpoint.head_config or {})
        tokenizer.save(temporary, checkpoint.encoder_config.max_positions)
        write_json(temporary / LINEAGE, checkpoint.lineage)
        (temporary / CARD).write_text(card, encoding="utf-8")
        write_manifest(temporary)


def load(folder: Path | str) -> Checkpoint:
    """Read a checkpoint folder after checking every file against the manifest.

    Raises ConfigError when the folder is no checkpoint, StorageError naming the file that is damaged.
    """
    folder = Path(folder)
    files = verify(folder)
    config, vocab_size = read_config(read_json(folder / CONFIG), str(folder / CONFIG), folder.name)
    weights, dialect = read_tensors(folder / WEIGHTS), DIALECTS[config.dialect]
    has_head = HEAD_WEIGHTS in files and HEAD_CONFIG in files
    return Checkpoint(
        encoder_config=config,
        vocab_size=vocab_size,
        tokenizer=Tokenizer.load(folder),
        state=dialect.from_names(weights, config.layers),
        mlm_state=dialect.mlm_from_names(weights),
        head_state=read_tensors(folder / HEAD_WEIGHTS) if has_head else None,
        head_config=_object(folder / HEAD_CONFIG) if has_head else None,
        lineage=_object(folder / LINEAGE) if LINEAGE in files else {},
        fingerprint=fingerprint_of(files),
    )


def _object(path: Path) -> dict[str, Any]:
    content = read_json(path)
    if not isinstance(content, dict):
        raise StorageError(f"damaged file: {path} is no JSON object, restore it or use another")
    return content


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Write JSON that people read and that is the same for the same values."""
    path.write_text(json.dumps(values, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def write_tensors(path: Path, state: Mapping[str, Tensor]) -> None:
    """Write tensors as safetensors, floating ones in float32, in the order of their names."""
    plain = {
        name: (tensor.float() if tensor.is_floating_point() else tensor).detach().cpu().clone().contiguous()
        for name, tensor in sorted(state.items())
    }
    path.write_bytes(save_tensors(plain, metadata={"format": "pt"}))  # transformers asks for the format


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a safetensors file, floating ones in float32.

    ConfigError for weights that are no plain numbers: float8 and whole numbers need scales, which are elsewhere.
    """
    try:
        state = load_tensors(path.read_bytes())
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error.strerror}") from error
    except (SafetensorError, ValueError, KeyError) as error:
        raise StorageError(f"damaged file: {path} is not safetensors, restore it or use another") from error
    for name, tensor in sorted(state.items()):
        if name.rpartition(".")[2] in _PARAMETERS and tensor.dtype not in _REAL:
            raise ConfigError(
                f"{path}: {name} is {str(tensor.dtype).removeprefix('torch.')}, weights must be float16, bfloat16,"
                " float32 or float64: give the folder from before they were quantised"
            )
    return {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in state.items()}
