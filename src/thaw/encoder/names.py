"""Our parameter names and BERT's, both ways; query, key and value are split and joined on the way.

Names of BERT are those of Hugging Face's BertModel, without the prefix ``bert.``.
"""

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

_EMBEDDINGS = {
    "embeddings.word": "embeddings.word_embeddings",
    "embeddings.position": "embeddings.position_embeddings",
    "embeddings.segment": "embeddings.token_type_embeddings",
    "embeddings.norm": "embeddings.LayerNorm",
}
_LAYER = {
    "attention_output": "attention.output.dense",
    "attention_norm": "attention.output.LayerNorm",
    "up": "intermediate.dense",
    "down": "output.dense",
    "output_norm": "output.LayerNorm",
}
_FUSED, _SPLIT = "query_key_value", tuple(f"attention.self.{part}" for part in ("query", "key", "value"))
_MLM = {
    "dense.weight": "cls.predictions.transform.dense.weight",
    "dense.bias": "cls.predictions.transform.dense.bias",
    "norm.weight": "cls.predictions.transform.LayerNorm.weight",
    "norm.bias": "cls.predictions.transform.LayerNorm.bias",
    "decoder.bias": "cls.predictions.bias",
}


def to_bert(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename an encoder's state to BERT's names."""
    renamed: dict[str, Tensor] = {}
    for name, tensor in state.items():
        module, kind = name.rsplit(".", 1)
        if module in _EMBEDDINGS:
            renamed[f"{_EMBEDDINGS[module]}.{kind}"] = tensor
            continue
        _, number, part = module.split(".", 2)
        prefix = f"encoder.layer.{number}."
        if part == _FUSED:
            for target, piece in zip(_SPLIT, tensor.chunk(3), strict=True):
                renamed[f"{prefix}{target}.{kind}"] = piece
        else:
            renamed[f"{prefix}{_LAYER[part]}.{kind}"] = tensor
    return renamed


def from_bert(state: Mapping[str, Tensor], layers: int) -> dict[str, Tensor]:
    """Rename BERT's weights to ours; what an encoder has no use for (pooler, heads, buffers) is left out.

    ``state`` may have the prefix ``bert.`` and the norms' old names ``gamma`` and ``beta``. A weight that is missing
    is missing in what is returned: `Encoder.load_state_dict` or `difference` names it.
    """
    plain = {_modern(name): tensor for name, tensor in state.items()}
    renamed: dict[str, Tensor] = {}
    for ours, theirs in _EMBEDDINGS.items():
        for kind in ("weight", "bias"):
            if f"{theirs}.{kind}" in plain:
                renamed[f"{ours}.{kind}"] = plain[f"{theirs}.{kind}"]
    for number in range(layers):
        prefix = f"encoder.layer.{number}."
        for kind in ("weight", "bias"):
            pieces = [plain[f"{prefix}{part}.{kind}"] for part in _SPLIT if f"{prefix}{part}.{kind}" in plain]
            if len(pieces) == len(_SPLIT):
                renamed[f"layers.{number}.{_FUSED}.{kind}"] = torch.cat(pieces)
            for ours, theirs in _LAYER.items():
                if f"{prefix}{theirs}.{kind}" in plain:
                    renamed[f"layers.{number}.{ours}.{kind}"] = plain[f"{prefix}{theirs}.{kind}"]
    return renamed


def mlm_to_bert(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename a masked-word head's state, without the shared piece vectors."""
    return {_MLM[name]: tensor for name, tensor in state.items() if name in _MLM}


def mlm_from_bert(state: Mapping[str, Tensor]) -> dict[str, Tensor] | None:
    """Return the masked-word head among BERT's weights, None when ours has no place for it or part is missing."""
    output, words = state.get("cls.predictions.decoder.weight"), state.get("bert.embeddings.word_embeddings.weight")
    if output is not None and (words is None or not torch.equal(output, words)):
        return None  # an output layer of its own
    plain = {_modern(name): tensor for name, tensor in state.items()}
    if "cls.predictions.bias" not in plain and "cls.predictions.decoder.bias" in plain:
        plain["cls.predictions.bias"] = plain["cls.predictions.decoder.bias"]
    if not all(theirs in plain for theirs in _MLM.values()):
        return None
    return {ours: plain[theirs] for ours, theirs in _MLM.items()}


def difference(expected: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> str:
    """List missing names with -, unexpected ones with + and other shapes with !, sorted; empty when all fit."""
    lines = [f"- {name}" for name in expected.keys() - given.keys()]
    lines += [f"+ {name}" for name in given.keys() - expected.keys()]
    lines += [
        f"! {name} {tuple(given[name].shape)} for {tuple(expected[name].shape)}"
        for name in expected.keys() & given.keys()
        if expected[name].shape != given[name].shape
    ]
    return shortened(sorted(lines, key=lambda line: line[2:]))


def shortened(lines: Iterable[str], limit: int = 12) -> str:
    """Join lines by commas, the first ``limit`` of them and the number of the rest."""
    lines = list(lines)
    rest = f", … {len(lines) - limit} more" if len(lines) > limit else ""
    return ", ".join(lines[:limit]) + rest


def _modern(name: str) -> str:
    name = name.removeprefix("bert.")
    if name.endswith("LayerNorm.gamma"):
        return name.removesuffix("gamma") + "weight"
    if name.endswith("LayerNorm.beta"):
        return name.removesuffix("beta") + "bias"
    return name
