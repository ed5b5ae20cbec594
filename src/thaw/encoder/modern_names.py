"""Our parameter names and ModernBERT's, both ways: only names differ.

Names of ModernBERT are those of Hugging Face's ModernBertModel, without the prefix ``model.``.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

_EMBEDDINGS = {"embeddings.word": "embeddings.tok_embeddings", "embeddings.norm": "embeddings.norm"}
_LAYER = {
    "attention_norm": "attn_norm",
    "query_key_value": "attn.Wqkv",
    "attention_output": "attn.Wo",
    "feed_forward_norm": "mlp_norm",
    "up_and_gate": "mlp.Wi",
    "down": "mlp.Wo",
}
_LAST, _FINAL = "output_norm", "final_norm"  # ours belongs to the last layer
_MLM = {"dense.weight": "head.dense.weight", "norm.weight": "head.norm.weight", "decoder.bias": "decoder.bias"}
_OURS = {theirs: ours for ours, theirs in _LAYER.items()}
_OUR_EMBEDDINGS = {theirs: ours for ours, theirs in _EMBEDDINGS.items()}


def to_modern(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename an encoder's state to ModernBERT's names."""
    renamed: dict[str, Tensor] = {}
    for name, tensor in state.items():
        module, kind = name.rsplit(".", 1)
        if module in _EMBEDDINGS:
            renamed[f"{_EMBEDDINGS[module]}.{kind}"] = tensor
            continue
        _, number, part = module.split(".", 2)
        renamed[f"{_FINAL}.{kind}" if part == _LAST else f"layers.{number}.{_LAYER[part]}.{kind}"] = tensor
    return renamed


def from_modern(state: Mapping[str, Tensor], layers: int) -> dict[str, Tensor]:
    """Rename ModernBERT's weights to ours; what an encoder has no use for (heads, buffers) is left out.

    ``state`` may have the prefix ``model.``.
    """
    renamed: dict[str, Tensor] = {}
    for name, tensor in state.items():
        module, _, kind = name.removeprefix("model.").rpartition(".")
        first, _, rest = module.partition(".")
        number, _, part = rest.partition(".")
        if module in _OUR_EMBEDDINGS:
            renamed[f"{_OUR_EMBEDDINGS[module]}.{kind}"] = tensor
        elif module == _FINAL:
            renamed[f"layers.{layers - 1}.{_LAST}.{kind}"] = tensor
        elif first == "layers" and part in _OURS:
            renamed[f"layers.{number}.{_OURS[part]}.{kind}"] = tensor
    return renamed


def mlm_to_modern(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename a masked-word head's state, without the shared piece vectors."""
    return {_MLM[name]: tensor for name, tensor in state.items() if name in _MLM}


def mlm_from_modern(state: Mapping[str, Tensor]) -> dict[str, Tensor] | None:
    """Return the masked-word head among ModernBERT's weights, None when ours has no place for it or part is missing."""
    output, words = state.get("decoder.weight"), state.get("model.embeddings.tok_embeddings.weight")
    if output is not None and (words is None or not torch.equal(output, words)):
        return None  # an output layer of its own
    if not all(theirs in state for theirs in _MLM.values()):
        return None
    return {ours: state[theirs] for ours, theirs in _MLM.items()}
