"""The shape of an encoder as ModernBERT's ``config.json`` writes it, both ways. No torch here."""

from typing import Any

from thaw.encoder.bert_config import read_shape, thaw_settings
from thaw.encoder.config import EncoderConfig
from thaw.errors import ConfigError

_ROTARY = {"rope_type": "default", "rope_theta": 10_000.0}
_FULL = "full_attention"
_KEYS: dict[str, tuple[str, type]] = {  # our field: (ModernBERT's key, type)
    "layers": ("num_hidden_layers", int),
    "hidden": ("hidden_size", int),
    "heads": ("num_attention_heads", int),
    "intermediate": ("intermediate_size", int),
    "max_positions": ("max_position_embeddings", int),
    "dropout": ("mlp_dropout", float),
    "attention_dropout": ("attention_dropout", float),
    "layer_norm_eps": ("norm_eps", float),
    "init_std": ("initializer_range", float),
}
_DEFAULTS = {"mlp_dropout": 0.0, "attention_dropout": 0.0, "norm_eps": 1e-5, "initializer_range": 0.02}
_COMPUTED = {  # what our encoder computes, and what transformers takes when the key is missing
    "hidden_activation": ("gelu", "gelu"),
    "classifier_activation": ("gelu", "gelu"),
    "norm_bias": (False, False),
    "mlp_bias": (False, False),
    "attention_bias": (True, False),
    "classifier_bias": (False, False),
    "decoder_bias": (True, True),
}


def to_modern_config(config: EncoderConfig, vocab_size: int, pad_id: int, architecture: str) -> dict[str, Any]:
    """Return the content of ``config.json`` for an encoder saved under the class name ``architecture``."""
    return {
        "architectures": [architecture],
        "model_type": "modernbert",
        "vocab_size": vocab_size,
        **{theirs: getattr(config, ours) for ours, (theirs, _) in _KEYS.items()},
        "embedding_dropout": config.dropout,
        **{key: value for key, (value, _) in _COMPUTED.items()},
        "layer_types": [_FULL] * config.layers,
        "global_attn_every_n_layers": 1,  # the same for a transformers that knows no layer_types
        "rope_parameters": {_FULL: _ROTARY, "sliding_attention": _ROTARY},
        "global_rope_theta": _ROTARY["rope_theta"],
        "local_rope_theta": _ROTARY["rope_theta"],
        "pad_token_id": pad_id,
        **dict.fromkeys(("bos_token_id", "eos_token_id", "cls_token_id", "sep_token_id")),
        "tie_word_embeddings": True,
        "dtype": "float32",
        "thaw": thaw_settings(config),
    }


def from_modern_config(values: dict[str, Any], where: str, name: str) -> tuple[EncoderConfig, int]:
    """Return the encoder's shape and its vocabulary size; what we would compute otherwise is refused."""
    for key, (value, default) in _COMPUTED.items():
        if values.get(key, default) != value:
            found = repr(values.get(key, default))[:60]
            raise ConfigError(f"{where} has {key}={found}, only encoders with {key}={value!r} can be imported")
    kinds = values.get("layer_types")
    if kinds is None:
        everywhere = values.get("global_attn_every_n_layers") == 1  # a file older than layer_types
    else:
        everywhere = isinstance(kinds, list) and kinds == [_FULL] * len(kinds)
    if not everywhere:
        raise ConfigError(f"{where} has layers of local attention, only encoders of {_FULL} can be imported")
    if _rotary(values) != _ROTARY:
        raise ConfigError(f"{where} has other rotary positions, only encoders with {_ROTARY} can be imported")
    return read_shape(values, where, name, _KEYS, _DEFAULTS, {"dialect": "modern", "segments": 1})


def _rotary(values: dict[str, Any]) -> Any:
    """Return the kind and base of the rotation, older files of ModernBERT included."""
    given = values.get("rope_parameters")
    if isinstance(given, dict):
        return given.get(_FULL)
    return {"rope_type": "default", "rope_theta": values.get("global_rope_theta")}
