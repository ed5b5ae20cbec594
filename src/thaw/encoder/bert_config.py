"""The shape of an encoder as Hugging Face's ``config.json`` writes it, both ways. No torch here."""

from typing import Any

from thaw.encoder.config import EncoderConfig
from thaw.errors import ConfigError
from thaw.fields import check

FORMAT = 1  # of a checkpoint folder; a higher number than this is refused
_LARGEST = 10**9  # no size of an encoder is beyond it

_KEYS: dict[str, tuple[str, type]] = {  # our field: (BERT's key, type)
    "layers": ("num_hidden_layers", int),
    "hidden": ("hidden_size", int),
    "heads": ("num_attention_heads", int),
    "intermediate": ("intermediate_size", int),
    "max_positions": ("max_position_embeddings", int),
    "dropout": ("hidden_dropout_prob", float),
    "attention_dropout": ("attention_probs_dropout_prob", float),
    "layer_norm_eps": ("layer_norm_eps", float),
    "segments": ("type_vocab_size", int),
    "init_std": ("initializer_range", float),
}
_DEFAULTS = {"hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1, "layer_norm_eps": 1e-12}
_DEFAULTS |= {"type_vocab_size": 2, "initializer_range": 0.02, "max_position_embeddings": 512}
_COMPUTED = {  # what our encoder computes; another value would give other numbers
    "hidden_act": "gelu",
    "position_embedding_type": "absolute",
    "is_decoder": False,
    "add_cross_attention": False,
}


def to_bert_config(config: EncoderConfig, vocab_size: int, pad_id: int, architecture: str) -> dict[str, Any]:
    """Return the content of ``config.json`` for an encoder saved under the class name ``architecture``."""
    return {
        "architectures": [architecture],
        "model_type": "bert",
        "vocab_size": vocab_size,
        **{theirs: getattr(config, ours) for ours, (theirs, _) in _KEYS.items()},
        "hidden_act": "gelu",
        "pad_token_id": pad_id,
        "tie_word_embeddings": True,
        "dtype": "float32",
        "thaw": thaw_settings(config),
    }


def from_bert_config(values: dict[str, Any], where: str, name: str) -> tuple[EncoderConfig, int]:
    """Return the encoder's shape and its vocabulary size; what we would compute otherwise is refused."""
    for key, value in _COMPUTED.items():
        if values.get(key, value) != value:
            found = repr(values[key])[:60]
            raise ConfigError(f"{where} has {key}={found}, only encoders with {key}={value!r} can be imported")
    return read_shape(values, where, name, _KEYS, _DEFAULTS, {})


def thaw_settings(config: EncoderConfig) -> dict[str, Any]:
    """Return what ``config.json`` says of ours beyond what transformers reads."""
    return {"format": FORMAT, "name": config.name, "dialect": config.dialect, "init": config.init}


def read_shape(
    values: dict[str, Any], where: str, name: str, keys: dict[str, tuple[str, type]], defaults: dict[str, Any],
    fixed: dict[str, Any],
) -> tuple[EncoderConfig, int]:  # fmt: skip
    """Return the encoder's shape and vocabulary size, by ``keys`` (our field: theirs) and what is ``fixed``.

    ``where`` is the file, for the message; ``name`` names an encoder whose file does not.
    """
    given = values.get("thaw")
    ours: dict[str, Any] = given if isinstance(given, dict) else {}
    if ours.get("format", FORMAT) != FORMAT:
        raise ConfigError(f"{where} has checkpoint format {ours['format']}, this thaw reads {FORMAT}: update thaw")
    fields = {field: _number(values, key, kind, where, defaults) for field, (key, kind) in keys.items()} | fixed
    try:
        config = EncoderConfig(name=str(ours.get("name", name)), init=str(ours.get("init", "normal")), **fields)
        check(config)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from error
    return config, _number(values, "vocab_size", int, where, defaults)


def _number(values: dict[str, Any], key: str, kind: type, where: str, defaults: dict[str, Any]) -> Any:
    value = values.get(key, defaults.get(key))
    if value is None:
        raise ConfigError(f"{where} lacks {key}, point at a BERT-family folder")
    number = not isinstance(value, bool) and isinstance(value, int | float) and abs(value) < _LARGEST
    if not number or (kind is int and value != int(value)):
        expected = "a whole number" if kind is int else "a number"
        raise ConfigError(f"{where} has {key}={repr(value)[:60]}, expected {expected}")
    return kind(value)
