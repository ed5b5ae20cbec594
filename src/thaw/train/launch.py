"""The processes of a run under Lightning: the first one starts the others, watches them and ends with them.

Decisions:
* Lightning is told the run's own world (world.py); it would take it from whatever launcher it finds in the environment.
* The others say when they are ready, and only then all meet: waiting in Python, the first process sees that one has
  died, or that it is to stop itself; inside `init_process_group` it would wait half an hour.
* Lightning's observer is left out: it kills the first process five seconds after another one ended with a code, as all
  do that a signal stops, while the first may still save.
"""

import contextlib
import os
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytorch_lightning as pl
from lightning_fabric.plugins.environments.cluster_environment import ClusterEnvironment
from lightning_fabric.utilities.distributed import _set_num_threads_if_needed
from lightning_fabric.utilities.rank_zero import rank_zero_only
from pytorch_lightning.strategies import DDPStrategy
from pytorch_lightning.strategies.launchers.subprocess_script import _SubprocessScriptLauncher

from thaw.errors import DivergedError, ThawError
from thaw.process import died, stopped_by
from thaw.train.interrupt import Interrupted, Stop
from thaw.train.world import FIRST, READY, World

PATIENCE = 10.0  # seconds that the other processes have to end when the first one has done its work
GRACE = 30.0  # seconds that the first one has to notice that another is dead


class Place(ClusterEnvironment):
    """A process' place in the world of its run, as Lightning asks for it."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world, self.port = world, world.port
        setattr(rank_zero_only, "rank", world.rank)  # noqa: B010  Lightning has it from the environment

    @property
    def creates_processes_externally(self) -> bool:
        return self.world.started

    @property
    def main_address(self) -> str:
        return self.world.address

    @property
    def main_port(self) -> int:
        if not self.port:
            with socket.socket() as free:
                free.bind(("", 0))
                self.port = free.getsockname()[1]
        return self.port

    @staticmethod
    def detect() -> bool:
        return True

    def world_size(self) -> int:
        return self.world.size

    def set_world_size(self, size: int) -> None:
        """Leave it: it is the run's."""

    def global_rank(self) -> int:
        return self.world.rank

    def set_global_rank(self, rank: int) -> None:
        """Leave it: it is the run's."""

    def local_rank(self) -> int:
        return self.world.local_rank

    def node_rank(self) -> int:
        return self.world.node_rank


class Strategy(DDPStrategy):
    """Lightning's, with our launcher."""

    def __init__(self, place: Place, stop: Stop, **settings: Any) -> None:
        super().__init__(cluster_environment=place, **settings)
        self.place, self.stop = place, stop

    def _configure_launcher(self) -> None:
        self._launcher = Launcher(self.place, self.num_processes, self.num_nodes, self.stop)


class Launcher(_SubprocessScriptLauncher):
    """Starts the other processes of this node, where nobody else has."""

    def __init__(self, place: Place, processes: int, nodes: int, stop: Stop) -> None:
        super().__init__(place, processes, nodes)
        self.place, self.stop, self.over = place, stop, False

    def launch(self, function: Callable[..., Any], *arguments: Any, trainer: Any = None, **more: Any) -> Any:
        """Meet the other processes, then call the function; from then on all stop at one step."""
        if not self.place.world.started:
            self._start()
        self.stop.note()
        if (pipe := os.environ.pop(READY, None)) is not None:
            with open(int(pipe), "wb", buffering=0) as ready:
                ready.write(b".")
        _set_num_threads_if_needed(self.num_processes)
        return function(*arguments, **more)

    def _start(self) -> None:
        world, (reading, writing) = self.place.world, os.pipe()
        address = {"MASTER_ADDR": self.place.main_address, "MASTER_PORT": str(self.place.main_port)}
        try:
            for local_rank in range(1, self.num_processes):
                ranks = {"LOCAL_RANK": local_rank, "RANK": world.rank + local_rank, "NODE_RANK": world.node_rank}
                place = {name: str(number) for name, number in {**ranks, "WORLD_SIZE": world.size}.items()}
                own = {FIRST: str(os.getpid()), READY: str(writing)}
                environment = {**os.environ, **address, **place, **own}
                self.procs.append(subprocess.Popen(command(), env=environment, pass_fds=[writing]))
            os.close(writing)
            self._await(reading)
        except BaseException:
            for process in self.procs:
                process.kill()  # it has nothing to save
            self.end()
            raise
        finally:
            os.close(reading)
        threading.Thread(target=self._watch, name="thaw-processes", daemon=True).start()

    def _await(self, reading: int) -> None:
        """Wait until the other processes are ready; each writes one byte then."""
        ready = 0
        while ready < len(self.procs):
            self.check(before_training=True)
            if select.select([reading], [], [], 0.1)[0] and (word := os.read(reading, 64)):
                ready += len(word)
            else:
                time.sleep(0.05)

    def check(self, before_training: bool = False) -> None:
        """Raise what it means for the run where one of the processes has died."""
        for number, process in enumerate(self.procs, 2):
            code = process.poll()
            if code is None or (code == 0 and not before_training):
                continue
            which = f"process {number} of {self.num_processes} of this run"
            if ended := stopped_by(code):
                raise Interrupted(ended, f"{ended.name} to {which}")
            if code == DivergedError.exit_code:
                raise DivergedError(f"the training diverged in {which}, which has said where")
            raise ThawError(f"{which} {died(code)}: the same command goes on from the last state saved")

    def _watch(self) -> None:
        """End this process where another one has died and the main thread waits for it for good."""
        since = 0.0
        while not self.over:
            time.sleep(1.0)
            codes = {number: one.poll() or 0 for number, one in enumerate(self.procs, 2)}
            dead = {number: code for number, code in codes.items() if code and not stopped_by(code)}
            since = since or (time.monotonic() if dead else 0.0)
            if since and time.monotonic() - since > GRACE and not self.over:
                number, code = next(iter(dead.items()))
                with contextlib.suppress(OSError):
                    what = f"process {number} of {self.num_processes} of this run {died(code)}"
                    print(f"error: {what}, and this one waits for it", file=sys.stderr, flush=True)
                for process in self.procs:
                    process.kill()
                os._exit(1)

    def end(self) -> None:
        """Wait for the other processes; those that do not end are killed."""
        end = time.monotonic() + PATIENCE
        for process in self.procs:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.1, end - time.monotonic()))
            if process.poll() is None:
                process.kill()
                process.wait()
        self.over = True


@contextlib.contextmanager
def together(trainer: pl.Trainer) -> Iterator[None]:
    """Let the other processes of a run end with the block; where one has died, that is why the block fails."""
    launcher = trainer.strategy.launcher
    if not isinstance(launcher, Launcher):
        yield
        return
    try:
        yield
    except ThawError:
        raise
    except Exception as error:
        end = time.monotonic() + 3.0  # its connection breaks before it is known to be dead
        while all(process.poll() is None for process in launcher.procs) and time.monotonic() < end:
            time.sleep(0.1)
        try:
            launcher.check()
        except BaseException as why:
            raise why from error
        raise
    finally:
        launcher.end()


def command() -> list[str]:
    """Return the command of this process."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    return [sys.executable, *(["-m", spec.name] if spec else [os.path.abspath(sys.argv[0])]), *sys.argv[1:]]
