"""What differs between the dialects of an encoder where it becomes a Hugging Face folder: config, names, classes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from thaw.encoder import bert_config, modern_config, modern_names, names
from thaw.encoder.config import EncoderConfig
from thaw.errors import ConfigError

State = Mapping[str, Tensor]
_QUANTISED = ("quantization_config", "compression_config")  # weights are something else than their numbers


@dataclass(frozen=True)
class Dialect:
    """The way one family of encoders is written."""

    family: str  # model_type of config.json
    model: str  # transformers' class of the bare encoder
    masked: str  # and with the masked-word head, before whose encoder's names `prefix` stands
    prefix: str
    to_config: Callable[[EncoderConfig, int, int, str], dict[str, Any]]
    from_config: Callable[[dict[str, Any], str, str], tuple[EncoderConfig, int]]
    to_names: Callable[[State], dict[str, Tensor]]
    from_names: Callable[[State, int], dict[str, Tensor]]
    mlm_to_names: Callable[[State], dict[str, Tensor]]
    mlm_from_names: Callable[[State], dict[str, Tensor] | None]


DIALECTS = {
    "bert": Dialect(
        "bert", "BertModel", "BertForMaskedLM", "bert.", bert_config.to_bert_config, bert_config.from_bert_config,
        names.to_bert, names.from_bert, names.mlm_to_bert, names.mlm_from_bert,
    ),
    "modern": Dialect(
        "modernbert", "ModernBertModel", "ModernBertForMaskedLM", "model.", modern_config.to_modern_config,
        modern_config.from_modern_config, modern_names.to_modern, modern_names.from_modern,
        modern_names.mlm_to_modern, modern_names.mlm_from_modern,
    ),
}  # fmt: skip


def read_config(values: Any, where: str, name: str) -> tuple[EncoderConfig, int]:
    """Return the shape and the vocabulary size of the encoder whose ``config.json`` has ``values``.

    ``where`` is the file, for the message; ``name`` names an encoder whose file does not.
    """
    if not isinstance(values, dict) or "model_type" not in values:
        raise ConfigError(f"not an encoder's config: {where} has no model_type, point at a BERT-family folder")
    for key in _QUANTISED:
        if values.get(key) is not None:
            raise ConfigError(f"{where} has {key}, quantised weights can not be trained: give the folder they are from")
    for dialect in DIALECTS.values():
        if values["model_type"] == dialect.family:
            return dialect.from_config(values, where, name)
    found, valid = repr(values["model_type"])[:60], " or ".join(dialect.family for dialect in DIALECTS.values())
    raise ConfigError(f"{where} has model_type={found}, only encoders with model_type {valid} can be imported")
