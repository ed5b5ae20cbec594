import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from thaw.encoder.dropout import Rows, rows_of
from thaw.task.lstm import TokenLSTM

WIDTH, HIDDEN = 6, 4
LENGTHS = [[5, 5, 5], [7, 1, 4], [1, 1, 1], [2, 7, 7]]


def packed(lstm: nn.LSTM, features: torch.Tensor, lengths: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
    """What torch's own LSTM computes over packed sequences."""
    outputs, (last, _) = lstm(pack_padded_sequence(features, lengths, batch_first=True, enforce_sorted=False))
    padded, _ = pad_packed_sequence(outputs, batch_first=True, total_length=features.shape[1])
    return padded, torch.cat([last[-2], last[-1]], -1)


def pair(dropout: float = 0.0) -> tuple[TokenLSTM, nn.LSTM]:
    """Ours and torch's, built under one seed."""
    torch.manual_seed(0)
    ours = TokenLSTM(WIDTH, HIDDEN, dropout)
    torch.manual_seed(0)
    return ours, nn.LSTM(WIDTH, HIDDEN, num_layers=2, bidirectional=True, batch_first=True, dropout=dropout)


@pytest.mark.parametrize("lengths", LENGTHS)
def test_it_is_torchs_lstm_over_packed_sequences(lengths: list[int]) -> None:
    ours, torchs = pair()
    features = torch.randn(3, 7, WIDTH)
    valid = torch.arange(7) < torch.tensor(lengths).unsqueeze(1)
    both = []
    for outputs, last in (ours(features, valid), packed(torchs, features, lengths)):
        (outputs.square().sum() + last.sum()).backward()
        both.append((outputs, last))
    torch.testing.assert_close(both[0], both[1])
    for mine, theirs in zip(ours.parameters(), torchs.parameters(), strict=True):  # in the same order
        torch.testing.assert_close(mine, theirs, rtol=0, atol=0)
        torch.testing.assert_close(mine.grad, theirs.grad)


def test_it_reads_the_weights_of_one_lstm() -> None:
    _, torchs = pair()
    saved = {f"head.lstm.lstm.{name}": value for name, value in torchs.state_dict().items()}
    torch.manual_seed(1)
    ours = nn.ModuleDict({"head": nn.ModuleDict({"lstm": TokenLSTM(WIDTH, HIDDEN, 0.0)})})
    ours.load_state_dict(saved)
    features, valid = torch.randn(2, 3, WIDTH), torch.ones(2, 3, dtype=torch.bool)
    torch.testing.assert_close(ours["head"]["lstm"](features, valid)[0], packed(torchs, features, [3, 3])[0])


def test_dropout_between_the_layers_does_not_depend_on_how_the_batch_is_spread() -> None:
    lstm, _ = pair(dropout=0.5)
    features, valid = torch.randn(4, 7, WIDTH), torch.ones(4, 7, dtype=torch.bool)
    parts = []
    for own in ([0, 1, 2, 3], [0, 2], [1, 3]):
        torch.manual_seed(5)
        with rows_of(Rows(own=own, total=4)):
            parts.append(lstm(features[own], valid[own])[0])
    torch.testing.assert_close(parts[0][[0, 2]], parts[1])
    torch.testing.assert_close(parts[0][[1, 3]], parts[2])
    assert not torch.equal(parts[0], lstm.eval()(features, valid)[0])
