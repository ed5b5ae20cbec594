"""A real Slurm of two nodes on this machine alone: Debian's packages unpacked into a folder, nothing installed."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

PACKAGES = "slurmctld slurmd slurm-client slurm-wlm-basic-plugins munge libmunge2 libhwloc15 liblua5.1-0".split()
LIBRARIES = "usr/lib/x86_64-linux-gnu"
PATIENCE = 300.0  # seconds
NODES = ("n1", "n2")
CONFIG = """
ClusterName=thaw
SlurmctldHost={host}(127.0.0.1)
SlurmdParameters=config_overrides
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={root}/munge.socket
CredType=cred/munge
PluginDir={plugins}
SlurmctldPort={ports[0]}
SlurmctldPidFile={root}/slurmctld.pid
SlurmdPidFile={root}/slurmd.%n.pid
SlurmdSpoolDir={root}/spool.%n
StateSaveLocation={root}/state
SlurmctldLogFile={root}/slurmctld.log
SlurmdLogFile={root}/slurmd.%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=1
MpiDefault=none
ReturnToService=2
JobRequeue=1
MinJobAge=3600
KillWait=120
InactiveLimit=0
NodeName={nodes[0]} NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]} CPUs=4 State=UNKNOWN
NodeName={nodes[1]} NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]} CPUs=4 State=UNKNOWN
PartitionName=debug Nodes=ALL Default=YES MaxTime=INFINITE State=UP OverSubscribe=YES
"""


class Missing(Exception):
    """There can be no Slurm here, and why."""


class Slurm:
    """The commands of a running Slurm, in a folder of one test."""

    def __init__(self, environment: dict[str, str], root: Path) -> None:
        self.environment, self.root = environment, root

    def run(self, *command: str, folder: Path) -> str:
        """Run one of Slurm's commands, or one that needs them, to its end; return what it printed."""
        done = subprocess.run(
            command, cwd=folder, env=self.environment, capture_output=True, text=True, timeout=3 * PATIENCE
        )
        assert done.returncode == 0, (command, done.stdout, done.stderr)
        return done.stdout

    def batch(self, script: str, *options: str, folder: Path) -> str:
        """Submit a script; return the number of its job. What it prints goes to ``slurm-*.out`` in the folder."""
        return self.run("sbatch", "--parsable", *options, "--wrap", script, folder=folder).strip()

    def over(self, job: str, folder: Path) -> dict[str, str]:
        """Wait until no task of a job is left; return the state and exit code of each."""
        end = time.monotonic() + 3 * PATIENCE
        while time.monotonic() < end:
            tasks = {one["JobId"]: one for one in self.jobs(folder) if job in (one["JobId"], one.get("ArrayJobId"))}
            states = {name: one["JobState"] for name, one in tasks.items()}
            if states and all(state in ("COMPLETED", "FAILED", "CANCELLED", "TIMEOUT") for state in states.values()):
                return {name: f"{one['JobState']} {one['ExitCode']}" for name, one in tasks.items()}
            time.sleep(0.5)
        raise AssertionError(f"job {job} is not over: {self.jobs(folder)}")

    def jobs(self, folder: Path) -> list[dict[str, str]]:
        """Return what Slurm knows of each job."""
        shown = self.run("scontrol", "--oneliner", "show", "jobs", folder=folder).splitlines()
        return [dict(word.partition("=")[::2] for word in line.split() if "=" in word) for line in shown]


@contextmanager
def cluster(root: Path) -> Iterator[Slurm]:
    """Unpack Slurm and munge into ``root`` and run them for the length of the block; Missing where they can not run."""
    for tool in ("apt-get", "dpkg"):
        if not shutil.which(tool):
            raise Missing(f"no {tool} here to fetch Slurm with")
    packages = root / "packages"
    packages.mkdir()
    fetched = subprocess.run(["apt-get", "download", *PACKAGES], cwd=packages, capture_output=True, text=True)
    if fetched.returncode:
        raise Missing(f"Debian's packages of Slurm can not be fetched: {fetched.stderr.strip().splitlines()[-1]}")
    for package in packages.glob("*.deb"):
        subprocess.run(["dpkg", "-x", package, root / "debian"], check=True)
    debian, libraries = root / "debian", root / "debian" / LIBRARIES
    for folder in ("state", *(f"spool.{node}" for node in NODES)):
        (root / folder).mkdir()
    (root / "munge.key").write_bytes(os.urandom(1024))
    (root / "munge.key").chmod(0o400)
    config = CONFIG.format(
        host=socket.gethostname(),
        user=_user(),
        root=root,
        plugins=libraries / "slurm-wlm",
        ports=_ports(3),
        nodes=NODES,
    )
    (root / "slurm.conf").write_text(config)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("SLURM_", "SBATCH_"))}
    environment |= {
        "PATH": f"{debian}/usr/bin:{debian}/usr/sbin:{Path(sys.executable).parent}:{environment['PATH']}",
        "LD_LIBRARY_PATH": f"{libraries}:{libraries}/slurm-wlm",
        "SLURM_CONF": f"{root}/slurm.conf",
    }
    with ExitStack() as running:
        files = [f"--{name}-file={root}/munge.{name}" for name in ("key", "log", "pid", "seed")]
        _start(running, ["munged", "--foreground", "--force", f"--socket={root}/munge.socket", *files], environment)
        _until(lambda: (root / "munge.socket").exists(), "munged does not start")
        _start(running, ["slurmctld-wlm", "-D", "-i", "-f", f"{root}/slurm.conf"], environment)
        for node in NODES:
            daemon = ["slurmd-wlm", "-D", "-f", f"{root}/slurm.conf", "-N", node]
            _start(running, [*daemon, "-d", f"{debian}/usr/sbin/slurmstepd-wlm"], environment)
        slurm = Slurm(environment, root)
        ready = ["sinfo", "--noheader", "--Node", "--format=%T"]

        def idle() -> bool:
            shown = subprocess.run(ready, env=environment, capture_output=True, text=True)
            return shown.stdout.split() == ["idle"] * len(NODES)

        _until(idle, f"the nodes do not come up, see {root}/*.log")
        yield slurm


def _start(running: ExitStack, command: list[str], environment: dict[str, str]) -> None:
    process = subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    running.callback(process.wait)
    running.callback(process.terminate)


def _until(done: object, otherwise: str) -> None:
    end = time.monotonic() + PATIENCE
    while not done():  # type: ignore[operator]
        if time.monotonic() > end:
            raise Missing(otherwise)
        time.sleep(0.2)


def _ports(count: int) -> list[int]:
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def _user() -> str:
    import pwd

    return pwd.getpwuid(os.getuid()).pw_name
