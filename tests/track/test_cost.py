import contextlib
import os
import subprocess
import sys
import time

import pytest

from slow import room
from thaw.track.cost import Clock, encoder_flops, host_gflops, mlm_flops, peak_rss_bytes, training_flops

BASE = {"layers": 12, "hidden": 768, "intermediate": 3072, "length": 128}


def test_evaluation_is_off_the_training_clock() -> None:
    clock, begun = Clock(), time.perf_counter()
    clock.start()
    time.sleep(0.02)
    with clock.evaluation():
        time.sleep(0.2)
    time.sleep(0.02)
    clock.stop()
    time.sleep(0.1)
    assert 0.04 <= clock.train_seconds <= time.perf_counter() - begun - 0.3
    assert 0.2 <= clock.eval_seconds <= time.perf_counter() - begun - 0.14


def test_evaluation_while_stopped_does_not_start_training() -> None:
    clock = Clock()
    with clock.evaluation():
        pass
    time.sleep(0.02)
    assert clock.train_seconds == 0


def test_cpu_seconds_are_those_of_work() -> None:
    clock = Clock()
    clock.start()
    time.sleep(0.1)
    asleep, until = clock.cpu_seconds, time.process_time() + 0.1
    while time.process_time() < until:
        pass
    assert asleep < 0.05
    assert 0.1 <= clock.cpu_seconds - asleep < 0.2


def test_a_resumed_run_goes_on_counting() -> None:
    clock = Clock()
    clock.load_state_dict({"train": 100.0, "eval": 10.0, "cpu": 190.0})
    clock.start()
    time.sleep(0.02)
    state = clock.state_dict()
    assert 100.02 <= state["train"] < 101
    assert state["eval"] == 10.0
    assert state["cpu"] >= 190.0


def test_the_memory_peak_of_an_earlier_job_is_forgotten() -> None:
    block = bytearray(200 << 20)
    block[::4096] = bytes(len(block[::4096]))
    high = peak_rss_bytes()
    del block
    Clock()
    assert peak_rss_bytes() < high - (100 << 20)


def test_flops_of_bert_base_are_twice_its_matrices() -> None:
    """85 million parameters in its blocks (Devlin et al. 2019: 110M with embeddings), scores and sums apart."""
    matrices = 12 * (4 * 768 * 768 + 2 * 768 * 3072)
    assert encoder_flops(**BASE) == 2 * matrices + 4 * 12 * 768 * 128
    assert matrices == 84_934_656


def test_flops_agree_with_counting_the_operations() -> None:
    torch = pytest.importorskip("torch")
    from torch.utils.flop_counter import FlopCounterMode

    layer = torch.nn.TransformerEncoderLayer(32, 4, 64, batch_first=True)
    layer.train()
    hidden = torch.zeros(2, 16, 32, requires_grad=True)
    with FlopCounterMode(display=False) as counter:
        layer(hidden).sum().backward()
    expected = training_flops(32, layers=1, hidden=32, intermediate=64, length=16)
    assert counter.get_total_flops() == pytest.approx(expected, rel=0.06)  # the backward of attention recomputes


def test_a_frozen_prefix_is_counted_forward_only() -> None:
    whole, frozen = training_flops(10, **BASE), training_flops(10, **BASE, learns=[False] * 13)
    half = training_flops(10, **BASE, learns=[False] * 7 + [True] * 6)
    assert frozen == 10 * encoder_flops(**BASE)
    assert whole == 3 * frozen
    assert half == 2 * frozen - 10 * 6 * 768 * 768  # nothing below the seventh layer wants the gradient of its input
    above_embeddings = training_flops(10, **BASE, learns=[False] + [True] * 12)
    assert above_embeddings == whole - 10 * 6 * 768 * 768
    middle = training_flops(10, **BASE, learns=[True] + [False] * 12)
    assert middle == whole - 10 * 12 * 2 * (4 * 768 * 768 + 2 * 768 * 3072)  # gradients pass, no matrix has its own
    assert frozen < training_flops(10, **BASE, weight_gradients=False) < whole


def test_the_vocabulary_is_paid_at_masked_positions_only() -> None:
    with_head = training_flops(100, **BASE, masked=15, vocab_size=8000)
    assert with_head - training_flops(100, **BASE) == 3 * 15 * mlm_flops(768, 8000)
    assert mlm_flops(768, 8000) == 2 * 768 * 768 + 2 * 768 * 8000


def test_who_learns_is_said_of_every_layer() -> None:
    with pytest.raises(ValueError, match="must say it of the embeddings and of layers=12"):
        training_flops(1, **BASE, learns=[True] * 12)


def test_cpu_seconds_of_all_processes_are_summed_and_restored_once() -> None:
    clock = Clock()
    clock.load_state_dict({"train": 1.0, "eval": 0.0, "cpu": 4.0})
    clock.gather(lambda own: own + 2.5)
    assert clock.cpu_seconds == 6.5
    clock.gather(lambda own: own + 3.0)  # the others went on; what they had before is not counted again
    assert clock.state_dict()["cpu"] == 7.0
    leader, follower = Clock(), Clock()
    for one, leads in ((leader, True), (follower, False)):
        one.load_state_dict(clock.state_dict(), leads)
    leader.gather(lambda own: own + follower.cpu_seconds)
    assert leader.cpu_seconds == 7.0
    assert follower.train_seconds == 1.0


def test_the_speed_of_a_core_is_measured_anew_each_time_and_falls_under_load() -> None:
    """Two programs that share one core have half of it each; a number kept from before the load would not show it."""
    if os.getloadavg()[0] > 4 * len(os.sched_getaffinity(0)):
        pytest.skip("other processes have the core already: there is no idle speed to compare with")
    core, before = {min(os.sched_getaffinity(0))}, os.sched_getaffinity(0)
    burn = [sys.executable, "-c", "print(flush=True)\nwhile True: pass"]
    os.sched_setaffinity(0, core)
    try:
        begun = time.perf_counter()
        idle = max(host_gflops() for _ in range(5))
        assert time.perf_counter() - begun < 5 * 0.5 * room()
        with contextlib.ExitStack() as stack:
            for _ in range(3):
                other = stack.enter_context(subprocess.Popen(burn, stdout=subprocess.PIPE))
                stack.callback(other.kill)
                assert other.stdout is not None
                other.stdout.readline()
            busy = sorted(host_gflops() for _ in range(5))[2]
    finally:
        os.sched_setaffinity(0, before)
    assert 0 < busy < idle / 1.5
