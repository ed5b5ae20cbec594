"""A transferred checkpoint as a folder that transformers runs as a classifier, tagger or question answerer."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from thaw.encoder.bert_config import to_bert_config
from thaw.encoder.checkpoint import CARD, Checkpoint, load, write_json, write_tensors
from thaw.encoder.hub import refuse_full
from thaw.encoder.manifest import CONFIG, WEIGHTS
from thaw.encoder.names import to_bert
from thaw.errors import ConfigError
from thaw.storage import atomic_folder

_ARCHITECTURES = {
    "classes": "BertForSequenceClassification",
    "score": "BertForSequenceClassification",
    "tags": "BertForTokenClassification",
    "span": "BertForQuestionAnswering",
}


def export(folder: Path | str, out: Path | str) -> str:
    """Write the transferred checkpoint ``folder`` at ``out`` and return the name of transformers' class for it.

    The exported model gives the same numbers. Raises ConfigError, with the reason, for a head that transformers'
    BERT has no place for.
    """
    refuse_full(out)
    checkpoint = load(folder)
    if checkpoint.head_state is None or checkpoint.head_config is None:
        raise ConfigError(f"{folder} has no task head to export: transformers' AutoModel loads it as it is")
    settings = checkpoint.head_config
    kind = str(settings.get("kind"))
    if checkpoint.encoder_config.dialect != "bert":
        raise ConfigError(
            "transformers puts other heads on ModernBERT, only BERT encoders can be exported: thaw predict"
        )
    _check_exportable(kind, settings)
    architecture = _ARCHITECTURES[kind]
    weights = {f"bert.{name}": tensor for name, tensor in to_bert(checkpoint.state).items()}
    weights |= _head_weights(kind, checkpoint.head_state, settings)
    config = to_bert_config(
        checkpoint.encoder_config, checkpoint.vocab_size, checkpoint.tokenizer.pad_id, architecture
    ) | _label_settings(kind, settings)
    with atomic_folder(out) as temporary:
        write_json(temporary / CONFIG, config)
        write_tensors(temporary / WEIGHTS, weights)
        checkpoint.tokenizer.save(temporary, checkpoint.encoder_config.max_positions)
        (temporary / CARD).write_text(_card(checkpoint, architecture), encoding="utf-8")
    return architecture


def _check_exportable(kind: str, settings: Mapping[str, Any]) -> None:
    if kind not in _ARCHITECTURES:
        raise ConfigError(f"a head of kind {kind!r} can not be exported, valid: {', '.join(_ARCHITECTURES)}")
    wanted = {"model": "linear", "layers": "last"}
    if kind in ("classes", "score"):
        wanted["pooling"] = "cls"
    for key, value in wanted.items():
        if settings.get(key) != value:
            raise ConfigError(
                f"this head has {key}={settings.get(key)}, and {_ARCHITECTURES[kind]} only knows {key}={value}: "
                "transfer with strategy=full strategy.pooling=cls to export"
            )


def _head_weights(kind: str, state: Mapping[str, Tensor], settings: Mapping[str, Any]) -> dict[str, Tensor]:
    output = "qa_outputs" if kind == "span" else "classifier"
    names = {"output.weight": f"{output}.weight", "output.bias": f"{output}.bias"}
    if kind in ("classes", "score"):
        names |= {"pooler.weight": "bert.pooler.dense.weight", "pooler.bias": "bert.pooler.dense.bias"}
    missing = sorted(names.keys() - state.keys())
    if missing:
        raise ConfigError(f"the head lacks {', '.join(missing)}, it was saved by another thaw: transfer again")
    weights = {theirs: state[ours] for ours, theirs in names.items()}
    if kind == "score":  # the head predicts a standardised score, transformers' the score itself
        mean, std = _scaling(state, settings)
        weights["classifier.weight"] = weights["classifier.weight"] * std
        weights["classifier.bias"] = weights["classifier.bias"] * std + mean
    return weights


def _scaling(state: Mapping[str, Tensor], settings: Mapping[str, Any]) -> tuple[float, float]:
    mean, std = (float(state[key]) if key in state else float(settings.get(key, default)) for key, default in _SCALE)
    return mean, std


_SCALE = (("mean", 0.0), ("std", 1.0))


def _label_settings(kind: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    if kind == "span":
        return {}
    if kind == "score":
        return {"id2label": {"0": "score"}, "label2id": {"score": 0}, "problem_type": "regression"}
    labels = [str(label) for label in settings.get("labels") or []]
    numbered = {"id2label": dict(enumerate(labels)), "label2id": {label: number for number, label in enumerate(labels)}}
    return numbered | ({"problem_type": "single_label_classification"} if kind == "classes" else {})


def _card(checkpoint: Checkpoint, architecture: str) -> str:
    return (
        f"# {checkpoint.encoder_config.name}, transferred\n\nWritten by `thaw export`. "
        f"Load it with transformers' `{architecture}.from_pretrained` and `AutoTokenizer`.\n"
    )
