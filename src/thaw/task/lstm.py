"""A two-layer BiLSTM over texts of unequal lengths, as four LSTMs that each read one way.

torch runs packed sequences of unequal lengths on a CPU one place after the other, half as fast as whole ones. Here the
texts are not packed: what reads backwards gets each text turned round within its own length, so that padding comes last
both ways and is never read before a text. B examples, T places, D width of what comes in, H hidden width of one way.
"""

from typing import Any

import torch
from torch import Tensor, nn

from thaw.encoder.dropout import TorchDropout

LAYERS = 2


class TokenLSTM(nn.Module):
    """A two-layer BiLSTM over tokens (Devlin et al. 2019, section 5.3), with dropout between its layers.

    It computes what ``nn.LSTM(num_layers=2, bidirectional=True)`` computes over packed sequences, begins with the same
    weights under the same seed, and reads the weights that one saved.
    """

    def __init__(self, width: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.width = 2 * hidden
        ways = [nn.LSTM(width if layer == 0 else 2 * hidden, hidden, batch_first=True) for layer, _ in _ways()]
        self.ways = nn.ModuleList(ways)
        self.dropout = TorchDropout(dropout)
        self.register_load_state_dict_pre_hook(_from_one_lstm)  # type: ignore[no-untyped-call]

    @property
    def entry_weights(self) -> list[Tensor]:
        """The weights that the features enter, of both ways."""
        return [self.ways[way].get_parameter("weight_ih_l0") for way in range(2)]

    def forward(self, features: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
        """Return the outputs (B, T, 2H), 0 at padding, and the last state of both directions (B, 2H)."""
        lengths = valid.sum(1)
        places = torch.arange(features.shape[1], device=features.device).expand(valid.shape)
        turned = torch.where(valid, lengths.unsqueeze(1) - 1 - places, places).unsqueeze(-1)  # its own inverse
        outputs = features
        for layer in range(LAYERS):
            if layer:
                outputs = self.dropout(outputs)
            ahead, _ = self.ways[2 * layer](outputs)
            back, _ = self.ways[2 * layer + 1](_at(outputs, turned))
            outputs = torch.cat([ahead, _at(back, turned)], -1)
        ends = (lengths - 1).view(-1, 1, 1)  # the last place that each way has read
        last = torch.cat([_at(ahead, ends), _at(back, ends)], -1).squeeze(1)
        return outputs.masked_fill(~valid.unsqueeze(-1), 0), last


def _at(values: Tensor, places: Tensor) -> Tensor:
    """Return the values (B, T, W) at places (B, P, 1) of each text: (B, P, W)."""
    return values.gather(1, places.expand(-1, -1, values.shape[-1]))


def _ways() -> list[tuple[int, str]]:
    """Return layer and direction of the four LSTMs, in the order in which one of torch draws and names its weights."""
    return [(layer, direction) for layer in range(LAYERS) for direction in ("", "_reverse")]


def _from_one_lstm(_module: nn.Module, state: dict[str, Any], prefix: str, *_: Any) -> None:
    """Rename, in place, the weights that one LSTM of two layers and both directions saved (before 2026-11-28)."""
    for way, (layer, direction) in enumerate(_ways()):
        for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
            before = f"{prefix}lstm.{kind}_l{layer}{direction}"
            if before in state:
                state[f"{prefix}ways.{way}.{kind}_l0"] = state.pop(before)
