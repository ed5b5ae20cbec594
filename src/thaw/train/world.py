"""Which process of a run this one is, and who started it. No torch here.

Decision: a run has ``trainer.devices`` x ``trainer.num_nodes`` processes, whatever the environment says. A rank in the
environment counts only where a launcher says that it has started exactly so many: srun, torchrun, or the first process
of the run. Any other number is refused: one process would train in silence, or all would wait for one that never comes.
"""

import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass

from thaw.errors import ConfigError
from thaw.train.config import TrainerConfig

FIRST, READY = "THAW_FIRST_PROCESS", "THAW_READY"  # of a process that another one of its run started: whose, and a pipe
RANKS = ("RANK", "LOCAL_RANK", "NODE_RANK", "GROUP_RANK", "WORLD_SIZE", "MASTER_PORT")
SLURM = (
    "SLURM_PROCID",
    "SLURM_LOCALID",
    "SLURM_NODEID",
    "SLURM_NTASKS",
    "SLURM_STEP_NUM_TASKS",
    "SLURM_STEP_NUM_NODES",
)
SHELLS = ("bash", "interactive")  # names of Slurm's jobs in which a person types: Lightning knows them by these too


@dataclass(frozen=True)
class World:
    """One process among all of a run; ``started`` where a launcher, or the run's first process, started each of them.

    ``address`` and ``port`` are where the first process listens; port 0: any that is free.
    """

    size: int
    rank: int = 0
    local_rank: int = 0
    node_rank: int = 0
    started: bool = False
    address: str = "127.0.0.1"
    port: int = 0

    @property
    def leads(self) -> bool:
        """Whether this is the process that records."""
        return self.rank == 0


def world(config: TrainerConfig, environment: Mapping[str, str] | None = None) -> World:
    """Return this process' place in a run; ConfigError where the launcher's number of processes is another one."""
    given = Environment(os.environ if environment is None else environment)
    size = config.devices * config.num_nodes
    if given.elastic or not given.in_slurm:
        return _of_variables(config, given, size)
    tasks, name = given.tasks
    if tasks is not None and tasks != size and (size > 1 or given.in_step):
        remedy = f"ask Slurm for {size} (srun --ntasks-per-node={config.devices} thaw ...)"
        if size == 1:
            remedy = "give trainer=ddp trainer.devices=..., or --only N to have a run a task"
        raise ConfigError(f"{_asked(config)}, but {name}={tasks}: {remedy}")
    if size == 1:
        return World(1)
    if given.in_step:
        rank, local_rank, node_rank = (given.rank(name) for name in SLURM[:3])
        return World(size, rank, local_rank, node_rank, True, given.first_node, given.slurm_port)
    if tasks is not None:
        raise ConfigError(f"{_asked(config)} and {name}={tasks}, but srun did not start them: srun thaw ...")
    return _by_itself(config, given, size)


def own_task() -> None:
    """Forget the other tasks of a step of Slurm's: by ``--only`` each task has a run of its own."""
    os.environ.pop("SLURM_STEP_NUM_TASKS", None)


def _of_variables(config: TrainerConfig, given: "Environment", size: int) -> World:
    """Return the place that WORLD_SIZE and its kin tell, as torchrun and others set them."""
    count = given.number("WORLD_SIZE")
    if count is not None and count != size:
        remedy = "set trainer.devices and trainer.num_nodes to it, or unset WORLD_SIZE where this is a run of its own"
        raise ConfigError(f"{_asked(config)}, but WORLD_SIZE={count}: {remedy}")
    port, local_rank = given.number("MASTER_PORT"), given.number("LOCAL_RANK")
    if size == 1:
        return World(1)
    if None in (count, port, local_rank) or "MASTER_ADDR" not in given.values:
        return _by_itself(config, given, size)
    assert port is not None
    assert local_rank is not None
    rank = given.rank("RANK", given.node_rank * config.devices + local_rank)
    if local_rank >= config.devices or rank >= size:
        raise ConfigError(f"{_asked(config)}, none of which can be RANK={rank} LOCAL_RANK={local_rank}")
    return World(size, rank, local_rank, given.node_rank, True, given.values["MASTER_ADDR"], port)


def _by_itself(config: TrainerConfig, given: "Environment", size: int) -> World:
    """Return the place of a run's first process on its node, which starts the others there."""
    if config.num_nodes == 1:
        return World(size)
    port = given.number("MASTER_PORT")
    if port is None or "MASTER_ADDR" not in given.values or given.number("NODE_RANK") is None:
        needed = "MASTER_ADDR, MASTER_PORT and NODE_RANK must say where the first node is and which one this is"
        raise ConfigError(f"trainer.num_nodes={config.num_nodes} without srun or torchrun: {needed}")
    if given.node_rank >= config.num_nodes:
        raise ConfigError(f"NODE_RANK={given.node_rank} is none of trainer.num_nodes={config.num_nodes}, from 0")
    rank = given.node_rank * config.devices
    return World(size, rank, 0, given.node_rank, False, given.values["MASTER_ADDR"], port)


def _asked(config: TrainerConfig) -> str:
    size = config.devices * config.num_nodes
    processes = "process" if size == 1 else "processes"
    return f"trainer.devices={config.devices} x trainer.num_nodes={config.num_nodes} is {size} {processes}"


class Environment:
    """The variables by which launchers tell a process its place; ConfigError where one is no number."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = values
        for name in (*RANKS, *SLURM):
            if name in values and not (values[name].isascii() and values[name].isdecimal()):
                raise ConfigError(f"{name}={values[name]} in the environment is no number: unset it")

    def number(self, name: str) -> int | None:
        """Return the number of a variable, None where it is not set."""
        return int(self.values[name]) if name in self.values else None

    def rank(self, name: str, default: int = 0) -> int:
        """Return the number of a variable, ``default`` where it is not set."""
        return int(self.values.get(name, default))

    @property
    def elastic(self) -> bool:
        """Whether torchrun, or this run's first process, started this process."""
        return "TORCHELASTIC_RUN_ID" in self.values or self.values.get(FIRST) == str(os.getppid())

    @property
    def in_slurm(self) -> bool:
        """Whether a job of Slurm's runs here in which no person types."""
        typing = self.values.get("SLURM_JOB_NAME") in SHELLS and self.tasks[0] in (None, 1)
        return any(name in self.values for name in SLURM) and not typing

    @property
    def in_step(self) -> bool:
        """Whether srun started this process: sbatch starts one only, however many tasks its job has."""
        return "SLURM_STEP_NUM_TASKS" in self.values and "SLURM_PROCID" in self.values

    @property
    def tasks(self) -> tuple[int | None, str]:
        """The number of tasks that Slurm was asked for, None where it was not, with the name of its variable."""
        name = "SLURM_STEP_NUM_TASKS" if self.in_step else "SLURM_NTASKS"
        return self.number(name), name

    @property
    def node_rank(self) -> int:
        """Which node this is."""
        return self.rank("NODE_RANK", self.rank("GROUP_RANK"))

    @property
    def first_node(self) -> str:
        """The address of the first node of a step: of ``n[3-5,9],m1`` it is n3, of one node this machine."""
        if "MASTER_ADDR" in self.values:
            return self.values["MASTER_ADDR"]
        if self.number("SLURM_STEP_NUM_NODES") == 1:
            return "127.0.0.1"
        nodes = self.values.get("SLURM_STEP_NODELIST") or self.values.get("SLURM_NODELIST") or socket.gethostname()
        return re.sub(r"\[(\w+)[^]]*\]", r"\1", nodes).partition(",")[0]

    @property
    def slurm_port(self) -> int:
        """The port that all processes of a step agree on: another for each job and step."""
        port = self.number("MASTER_PORT")
        digits = ["".join(filter(str.isdecimal, self.values.get(f"SLURM_{of}_ID", ""))) for of in ("JOB", "STEP")]
        job, step = (int(part or 0) for part in digits)
        return port if port is not None else 15000 + (7 * job + step) % 10000
