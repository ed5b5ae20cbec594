"""Scaled dot-product attention: which kernel computes it, and how padding is masked.

Legend: B sequences a batch, T tokens a sequence, D hidden width, H heads.

Decisions: no padding means no mask at all, which is faster; a padded place is masked by a large finite number, so that
a sequence of padding alone gives finite states.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from thaw.encoder.dropout import by_row, dropout, torch_dropout

_PLAIN_LENGTH = 512  # tokens up to which plain products beat SDPA in half precision on a CPU (measured, no AMX)


def attention_kernel(device_type: str, dtype: torch.dtype, length: int) -> str:
    """Return ``"plain"`` or ``"sdpa"``, whichever is faster for training at this length."""
    half = dtype in (torch.bfloat16, torch.float16)
    return "plain" if device_type == "cpu" and half and length <= _PLAIN_LENGTH else "sdpa"


def attention_bias(valid: Tensor | None, dtype: torch.dtype) -> Tensor | None:
    """Turn ``valid`` (B, T) into what is added to the scores, (B, 1, 1, T): 0, or the lowest finite number at padding.

    None where nothing is padded; a GPU is not asked, since that would wait for it.
    """
    if valid is None:
        return None
    if valid.device.type == "cpu" and not torch.compiler.is_compiling() and bool(valid.all()):
        return None
    bias = torch.zeros(valid.shape, dtype=dtype, device=valid.device)
    return bias.masked_fill(~valid.bool(), torch.finfo(dtype).min)[:, None, None, :]


def attend(query: Tensor, key: Tensor, value: Tensor, bias: Tensor | None, share: float) -> Tensor:
    """Scaled dot-product attention of (B, H, T, D / H) tensors (Vaswani et al. 2017, section 3.2.1).

    ``share`` of the weights is dropped.
    """
    bias = None if bias is None else bias.to(query.dtype)
    if attention_kernel(query.device.type, query.dtype, query.shape[-2]) == "plain":
        return plain_products(query, key, value, bias, share)
    if share and by_row(query) is not None:  # the kernel would draw its bits for the rows at hand alone
        return plain_products(query, key, value, bias, share, torch_dropout)
    return functional.scaled_dot_product_attention(query, key, value, attn_mask=bias, dropout_p=share)


def plain_products(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    bias: Tensor | None,
    share: float = 0.0,
    drop: Callable[[Tensor, float], Tensor] = dropout,
) -> Tensor:
    """Attention by two products, all in the dtype of ``query``; softmax itself computes in float32 and rounds."""
    with torch.autocast(query.device.type, enabled=False):  # its casts would cost more than the products
        scores = (query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2)
        weights = (scores if bias is None else scores + bias).softmax(-1)
        return drop(weights, share) @ value
