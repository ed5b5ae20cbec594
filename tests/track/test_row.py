import pytest

from thaw.errors import ConfigError
from thaw.track.row import COLUMNS, row

DESIGNED = (
    "run_id name kind task strategy encoder checkpoint train_size seed lr metric dev test best_step steps"
    " train_seconds eval_seconds cpu_seconds tokens flops peak_rss_bytes trainable_parameters total_parameters"
    " pretrain_run pretrain_seconds pretrain_flops frozen_audit collapsed threads host torch precision thaw_version"
    " pretrain_tokens host_gflops floor floor_test device results source positive pretrain_cpu_seconds"
    " word_bits_per_byte"
)


def test_a_row_has_every_column_in_order() -> None:
    assert list(COLUMNS) == DESIGNED.split()
    made = row(test=0.873, run_id="abc")
    assert list(made) == list(COLUMNS)
    assert {name: value for name, value in made.items() if value is not None} == {"run_id": "abc", "test": 0.873}


def test_a_metric_that_is_not_a_number_is_null() -> None:
    assert row(dev=float("nan"))["dev"] is None


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"tets": 0.5}, "unknown column of result.json: tets, did you mean 'test'?"),
        ({"lr": [1e-3, 1e-4]}, "not a scalar: column lr"),
        ({"kind": "transfers"}, "kind=transfers, did you mean 'transfer'?"),
        ({"frozen_audit": "failed"}, "frozen_audit=failed"),
    ],
)
def test_what_is_not_a_row(values: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        row(**values)
    assert words in str(caught.value)
