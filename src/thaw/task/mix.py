"""Hidden states to token features, and tokens to one vector: what all heads share.

B examples, T places, D width of the encoder, F width of the features. Nothing at padding reaches a result.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

States = Sequence[Tensor] | Mapping[int, Tensor]  # by layer; a mapping may leave out layers the head does not read


class LayerMix(nn.Module):
    """Choose or mix layers: last, embeddings, concat_last4 (Devlin et al. 2019, section 5.3) or scalar_mix.

    scalar_mix is ELMo's gamma * sum_l softmax(w)_l h_l (Peters et al. 2018, eq. 1), without its layer norm.
    """

    def __init__(self, indices: list[int], hidden: int, mixed: bool) -> None:
        super().__init__()
        self.indices, self.mixed = indices, mixed
        self.width = hidden if mixed else hidden * len(indices)
        if mixed:
            self.weight = nn.Parameter(torch.zeros(len(indices)))
            self.gamma = nn.Parameter(torch.ones(()))

    def forward(self, states: States) -> Tensor:
        """Return the features (B, T, F)."""
        chosen = [states[index] for index in self.indices]
        if self.mixed:
            return self.gamma * torch.einsum("l,lbtd->btd", self.weight.softmax(0), torch.stack(chosen))
        return chosen[0] if len(chosen) == 1 else torch.cat(chosen, -1)


def mean_pool(features: Tensor, valid: Tensor) -> Tensor:
    """Return the mean over valid places (B, F)."""
    weights = valid.unsqueeze(-1).to(features.dtype)
    return (features.masked_fill(~valid.unsqueeze(-1), 0) * weights).sum(1) / weights.sum(1)


def max_pool(features: Tensor, valid: Tensor) -> Tensor:
    """Return the maximum over valid places (B, F)."""
    return features.masked_fill(~valid.unsqueeze(-1), float("-inf")).amax(1)
