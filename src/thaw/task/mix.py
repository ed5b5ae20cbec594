"""Hidden states to token features, and tokens to one vector: what all heads share.

B examples, T places, D width of the encoder, F width of the features. Nothing at padding reaches a result.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

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


class TokenLSTM(nn.Module):
    """A two-layer BiLSTM over packed sequences (Devlin et al. 2019, section 5.3)."""

    def __init__(self, width: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.width = 2 * hidden
        self.lstm = nn.LSTM(width, hidden, num_layers=2, bidirectional=True, batch_first=True, dropout=dropout)

    def forward(self, features: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
        """Return the outputs (B, T, 2H) and the last state of both directions (B, 2H)."""
        lengths = valid.sum(1).cpu()
        packed = pack_padded_sequence(features, lengths, batch_first=True, enforce_sorted=False)
        outputs, (last, _) = self.lstm(packed)
        padded, _ = pad_packed_sequence(outputs, batch_first=True, total_length=features.shape[1])
        return padded, torch.cat([last[-2], last[-1]], -1)


def mean_pool(features: Tensor, valid: Tensor) -> Tensor:
    """Return the mean over valid places (B, F)."""
    weights = valid.unsqueeze(-1).to(features.dtype)
    return (features.masked_fill(~valid.unsqueeze(-1), 0) * weights).sum(1) / weights.sum(1)


def max_pool(features: Tensor, valid: Tensor) -> Tensor:
    """Return the maximum over valid places (B, F)."""
    return features.masked_fill(~valid.unsqueeze(-1), float("-inf")).amax(1)
