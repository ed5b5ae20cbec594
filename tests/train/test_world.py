"""A process' place in its run: of the run's own number of processes, as a launcher tells it, or refused."""

import os
from typing import Any

import pytest

from thaw.errors import ConfigError
from thaw.train.config import TrainerConfig
from thaw.train.world import FIRST, World, world

TORCHRUN = {"TORCHELASTIC_RUN_ID": "none", "MASTER_ADDR": "n1", "MASTER_PORT": "29500"}
SRUN = {
    "SLURM_JOB_ID": "1042", "SLURM_STEP_ID": "3", "SLURM_STEP_NODELIST": "n[03-04]", "SLURM_NTASKS": "4",
    "SLURM_STEP_NUM_TASKS": "4", "SLURM_PROCID": "2", "SLURM_LOCALID": "0", "SLURM_NODEID": "1",
}  # fmt: skip
BATCH = {"SLURM_JOB_ID": "1042", "SLURM_PROCID": "0", "SLURM_LOCALID": "0", "SLURM_NODEID": "0"}


def place(environment: dict[str, Any], devices: int = 1, nodes: int = 1) -> World:
    given = {name: str(value) for name, value in environment.items()}
    return world(TrainerConfig(devices=devices, num_nodes=nodes), given)


@pytest.mark.parametrize(
    "environment",
    [
        {}, {"LOCAL_RANK": 1}, {"NODE_RANK": 1}, {"RANK": 3, "LOCAL_RANK": 1}, {"MASTER_ADDR": "n1", "MASTER_PORT": 1},
        {"WORLD_SIZE": 1, "RANK": 0}, TORCHRUN | {"WORLD_SIZE": 1, "RANK": 0, "LOCAL_RANK": 0},
        BATCH, BATCH | {"SLURM_NTASKS": 4}, SRUN | {"SLURM_STEP_NUM_TASKS": 1, "SLURM_PROCID": 0},
        {"SLURM_PROCID": 1, "SLURM_LOCALID": 1},
    ],
)  # fmt: skip
def test_a_run_of_one_process_records_whatever_ranks_stand_about(environment: dict[str, Any]) -> None:
    assert place(environment) == World(1)


@pytest.mark.parametrize(
    ("environment", "devices", "nodes", "expected"),
    [
        ({}, 2, 1, World(2)),
        ({"LOCAL_RANK": 1, "MASTER_PORT": 4}, 2, 1, World(2)),  # of another launcher: it has not started this run
        (BATCH, 2, 1, World(2)),  # sbatch --gpus=2: nobody has said how many tasks
        (SRUN, 2, 2, World(4, 2, 0, 1, True, "n03", 22297)),
        (SRUN | {"MASTER_ADDR": "n3.cluster", "MASTER_PORT": 5}, 2, 2, World(4, 2, 0, 1, True, "n3.cluster", 5)),
        (SRUN | {"SLURM_STEP_NODELIST": "rack[1-2]n[7,9],m1"}, 4, 1, World(4, 2, 0, 1, True, "rack1n7", 22297)),
        (SRUN | {"SLURM_STEP_NUM_NODES": 1}, 4, 1, World(4, 2, 0, 1, True, "127.0.0.1", 22297)),
        (SRUN | {"SLURM_STEP_NUM_TASKS": 1, "SLURM_JOB_NAME": "bash"}, 2, 1, World(2)),  # a person types
        (
            TORCHRUN | {"WORLD_SIZE": 4, "RANK": 3, "LOCAL_RANK": 1, "GROUP_RANK": 1}, 2, 2,
            World(4, 3, 1, 1, True, "n1", 29500),
        ),
        (
            SRUN | TORCHRUN | {"WORLD_SIZE": 2, "RANK": 1, "LOCAL_RANK": 1}, 2, 1,
            World(2, 1, 1, 0, True, "n1", 29500),
        ),
        (
            {"MASTER_ADDR": "n1", "MASTER_PORT": 7, "WORLD_SIZE": 4, "NODE_RANK": 1}, 2, 2,
            World(4, 2, 0, 1, False, "n1", 7),
        ),
        (
            BATCH | {"MASTER_ADDR": "n1", "MASTER_PORT": 7, "WORLD_SIZE": 2, "RANK": 1, "LOCAL_RANK": 1}
            | {"SLURM_NTASKS": 1, FIRST: os.getppid()}, 2, 1,
            World(2, 1, 1, 0, True, "n1", 7),
        ),
    ],
)  # fmt: skip
def test_a_rank_is_the_launchers(environment: dict[str, Any], devices: int, nodes: int, expected: World) -> None:
    assert place(environment, devices, nodes) == expected
    assert expected.leads is (expected.rank == 0)


@pytest.mark.parametrize(
    ("environment", "devices", "nodes", "words"),
    [
        (BATCH | {"SLURM_NTASKS": 1}, 2, 1, "devices=2 x trainer.num_nodes=1 is 2 processes, but SLURM_NTASKS=1"),
        ({"SLURM_NTASKS": 8}, 2, 2, "is 4 processes, but SLURM_NTASKS=8"),
        (SRUN, 2, 1, "is 2 processes, but SLURM_STEP_NUM_TASKS=4: ask Slurm for 2"),
        (SRUN | {"SLURM_JOB_NAME": "bash"}, 2, 1, "is 2 processes, but SLURM_STEP_NUM_TASKS=4"),  # srun bash run.sh
        (SRUN, 1, 1, "is 1 process, but SLURM_STEP_NUM_TASKS=4: give trainer=ddp"),
        (BATCH | {"SLURM_NTASKS": 2}, 2, 1, "SLURM_NTASKS=2, but srun did not start them: srun thaw"),
        (TORCHRUN | {"WORLD_SIZE": 2, "RANK": 0, "LOCAL_RANK": 0}, 1, 1, "is 1 process, but WORLD_SIZE=2"),
        (TORCHRUN | {"WORLD_SIZE": 2, "RANK": 0, "LOCAL_RANK": 0}, 4, 1, "is 4 processes, but WORLD_SIZE=2"),
        ({"WORLD_SIZE": 1}, 2, 1, "is 2 processes, but WORLD_SIZE=1"),
        (TORCHRUN | {"WORLD_SIZE": 2, "RANK": 1, "LOCAL_RANK": 2}, 2, 1, "none of which can be RANK=1 LOCAL_RANK=2"),
        ({"MASTER_ADDR": "n1", "MASTER_PORT": 7}, 1, 2, "MASTER_ADDR, MASTER_PORT and NODE_RANK must say where"),
        ({"MASTER_ADDR": "n1", "MASTER_PORT": 7, "NODE_RANK": 2}, 1, 2, "NODE_RANK=2 is none of trainer.num_nodes=2"),
        ({"LOCAL_RANK": "x"}, 1, 1, "LOCAL_RANK=x in the environment is no number: unset it"),
        ({"RANK": ""}, 1, 1, "RANK= in the environment is no number"),
        ({"WORLD_SIZE": "-1"}, 1, 1, "WORLD_SIZE=-1 in the environment is no number"),
    ],
)  # fmt: skip
def test_any_other_number_of_processes_is_refused(
    environment: dict[str, Any], devices: int, nodes: int, words: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        place(environment, devices, nodes)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)
