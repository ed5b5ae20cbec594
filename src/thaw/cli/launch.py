"""The jobs of a sweep under Hydra's launchers: a process that dies costs its job, not the sweep.

Decisions:
* Each worker of ``hydra/launcher=joblib`` is a pool of its own, of the workers that joblib itself uses: in a pool of
  several the death of one breaks the pool, which kills the others in the middle of their runs.
* A job of submitit's that dies is a result like another, for which the others are waited as well.
"""

import contextlib
import os
import re
import signal
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from typing import Any

from thaw.cli.jobs import Job
from thaw.cli.worker import Outcome
from thaw.errors import StorageError
from thaw.process import cores, died, stopped_by
from thaw.track.folder import STATUS, RunFolder

IDLE_SECONDS = 60  # after which a worker ends that has nothing to do: the next stage of a study may want it
LIBRARIES = ("OMP", "OPENBLAS", "MKL", "BLIS", "VECLIB_MAXIMUM", "NUMBA", "NUMEXPR")  # each with its number of threads
_CODE = re.compile(r"exit codes of the workers are \{\w+\((-?\d+)\)")  # in joblib's words
_idle: dict[int, list[Any]] = {}  # by how many work at once: it says how many threads each has


def launch(runner: Any, jobs: Sequence[Job], labels: Sequence[str]) -> list[Outcome]:
    """Run jobs with a launcher of Hydra's; return what became of each, ``labels`` name them on the terminal."""
    name, words = type(runner).__name__, [job.overrides for job in jobs]
    if name == "JoblibLauncher":
        return _in_workers(runner, jobs, labels)
    with _settled(labels) if "submitit" in type(runner).__module__ else contextlib.nullcontext():
        return [one.return_value for one in runner.launch(words, initial_job_idx=0)]


def at_once(wished: int | None) -> int:
    """Return how many jobs run at once, as joblib reads ``n_jobs``: -1 is one a core, -2 leaves one core free."""
    wished = wished or 1
    return wished if wished > 0 else max(1, cores() + 1 + wished)


def _in_workers(runner: Any, jobs: Sequence[Job], labels: Sequence[str]) -> list[Outcome]:
    from hydra.core.singleton import Singleton
    from hydra.core.utils import setup_globals
    from hydra_plugins.hydra_joblib_launcher._core import execute_job  # type: ignore[import-untyped]

    setup_globals()
    context = runner.hydra_context, runner.config, runner.task_function, Singleton.get_state()
    count = at_once(runner.joblib.get("n_jobs"))
    waiting, running = deque(enumerate(jobs)), dict[Future[Any], tuple[int, Any]]()
    outcomes: dict[int, Outcome] = {}
    try:
        while waiting or running:
            while waiting and len(running) < count:
                number, job = waiting.popleft()
                future, worker = _submit(count, execute_job, number, job.overrides, *context)
                running[future] = number, worker
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                number, worker = running.pop(future)
                try:
                    outcomes[number] = future.result().return_value
                    _idle.setdefault(count, []).append(worker)
                except BrokenExecutor as error:
                    outcomes[number] = _lost(jobs[number], labels[number], error)
    except BaseException:
        for _, worker in running.values():
            worker.shutdown(wait=False, kill_workers=True)
        raise
    return [outcomes[number] for number in range(len(jobs))]


def _submit(count: int, *call: Any) -> tuple[Future[Any], Any]:
    """Give a job to an idle worker, else to a new one."""
    from joblib.externals.loky import ProcessPoolExecutor  # type: ignore[import-untyped]

    idle = _idle.setdefault(count, [])
    while idle:
        worker = idle.pop()
        with contextlib.suppress(BrokenExecutor):  # it died meanwhile
            return worker.submit(*call), worker
    threads = str(max(1, cores() // count))
    names = [name for library in LIBRARIES if (name := f"{library}_NUM_THREADS") not in os.environ]
    environment = dict.fromkeys(names, threads)
    worker = ProcessPoolExecutor(1, timeout=IDLE_SECONDS, initializer=_begin, env=environment)
    return worker.submit(*call), worker


def _begin() -> None:
    """Let Ctrl-C reach a worker by its parent, while no run of its own is listening."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _lost(job: Job, label: str, error: BrokenExecutor) -> Outcome:
    """Record and tell that the process of a job is dead."""
    found = _CODE.search(str(error))
    code = int(found[1]) if found else 1
    number = stopped_by(code) or (signal.SIGTERM if code == -signal.SIGTERM else None)
    folder = RunFolder(job.folder)
    status = folder.read(STATUS) or {}
    if number or code == StorageError.exit_code:  # that one: by a signal, when no state could be saved
        name = number.name if number else "a signal"
        remedy = "continues" if number else f"starts again ({status.get('error')})"
        line = f"{label} … interrupted by {name} to its process: the same command {remedy}"
        _say(line)
        return Outcome(line, None, interrupted=True)
    running = status.get("state") == "running"
    what = f"its process (pid {status.get('pid')}) {died(code)}" if running else f"its process {died(code)}"
    if running:
        with contextlib.suppress(StorageError), folder:
            folder.wandb = str(status.get("wandb") or folder.wandb)
            folder.status("failed", what)
    line = f"{label} … failed: {what}"
    _say(line)
    return Outcome(line, None)


def _say(line: str) -> None:
    """Print a line; that nobody reads any more (thaw … | head) is no reason to lose the runs that are left."""
    with contextlib.suppress(OSError):
        print(line, flush=True)


class _Settled:
    """A job of submitit's; that it died is its result."""

    def __init__(self, job: Any, label: str) -> None:
        self.job, self.label = job, label

    def results(self) -> list[Any]:
        """Wait for the job and return what became of it."""
        from submitit.core.utils import UncompletedJobError

        try:
            returned: list[Any] = self.job.results()
        except UncompletedJobError:
            state, errors = self.job.state.lower(), self.job.paths.stderr
            line = f"{self.label} … failed: its job {self.job.job_id} ended without a result ({state}), see {errors}"
            return [_Returned(Outcome(line, None))]
        return returned


@contextlib.contextmanager
def _settled(labels: Sequence[str]) -> Iterator[None]:
    """Let the launcher of submitit's wait for all jobs, whatever becomes of one."""
    import submitit

    class Executor(submitit.AutoExecutor):
        def map_array(self, *arguments: Any) -> list[Any]:
            return [_Settled(job, label) for job, label in zip(super().map_array(*arguments), labels, strict=True)]

    before = submitit.AutoExecutor
    setattr(submitit, "AutoExecutor", Executor)  # noqa: B010  a type is not assigned to, says mypy
    try:
        yield
    finally:
        setattr(submitit, "AutoExecutor", before)  # noqa: B010


class _Returned:
    """What Hydra's launchers return for a job, as far as a sweep reads it."""

    def __init__(self, outcome: Outcome) -> None:
        self.return_value = outcome
