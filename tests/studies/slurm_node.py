"""A SLURM of one node with two cores on this machine, with its own munge: generated, started and stopped by a test."""

import getpass
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

PATIENCE = 20.0
CONFIGURATION = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
SlurmctldPort={controller}
SlurmdPort={daemon}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
# no control groups, which need more rights than a test has
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
# too much memory ends a task
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerNode=1500
MaxArraySize={array_size}
# a job starts at once and leaves the queue soon after its end
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=1,bf_interval=1
MinJobAge=300
KillWait=1
ReturnToService=2
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 SocketsPerBoard=1 CoresPerSocket=2 RealMemory=3000 State=UNKNOWN
PartitionName=short Nodes={host} Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO
"""
NEEDED = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol", "scancel")


def program(name):
    """Where a program is; servers are often outside the path of a user."""
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")


def missing():
    """What is not installed."""
    return [name for name in NEEDED if program(name) is None]


@contextmanager
def slurm_node(array_size=4):
    """A running node; gives the environment with which its commands find it."""
    # not the folder of the test: munge wants one in which everybody may look its socket up
    folder = Path(tempfile.mkdtemp(prefix="slurm_"))
    folder.chmod(0o755)
    started = []
    try:
        yield _started(folder, array_size, started)
    finally:
        for server in reversed(started):
            server.terminate()
            try:
                server.wait(10)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _started(folder, array_size, started):
    for name in ("state", "spool"):
        (folder / name).mkdir()
    key = folder / "munge.key"
    key.write_bytes(secrets.token_bytes(128))
    key.chmod(0o600)
    host = socket.gethostname().partition(".")[0]
    controller, daemon = _free_ports(2)
    configuration = folder / "slurm.conf"
    configuration.write_text(
        CONFIGURATION.format(
            host=host,
            user=getpass.getuser(),
            controller=controller,
            daemon=daemon,
            folder=folder,
            array_size=array_size,
        )
    )
    (folder / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\n")
    environment = {**os.environ, "SLURM_CONF": str(configuration)}

    def start(*words):
        with (folder / f"{words[0]}.out").open("wb") as log:
            command = [program(words[0]), *words[1:]]
            started.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=folder))

    files = [f"--{name}-file={folder}/munge.{name}" for name in ("key", "pid", "log", "seed")]
    start("munged", "--foreground", f"--socket={folder}/munge.socket", *files)
    _wait(lambda: (folder / "munge.socket").exists(), folder, started)
    start("slurmctld", "-D", "-f", str(configuration))
    start("slurmd", "-D", "-f", str(configuration), "-N", host)
    _wait(lambda: _is_idle(environment), folder, started)
    return environment


def _is_idle(environment):
    command = [program("scontrol"), "show", "node", "-o"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    return "State=IDLE" in done.stdout


def _wait(ready, folder, started):
    end = time.monotonic() + PATIENCE
    while not ready():
        if time.monotonic() > end or any(server.poll() is not None for server in started):
            logs = "".join(
                f"\n{file.name}\n{file.read_text(errors='replace')[-3000:]}"
                for file in sorted([*folder.glob("*.out"), *folder.glob("*.log")])
            )
            raise RuntimeError(f"SLURM did not start{logs}")
        time.sleep(0.1)


def _free_ports(number):
    sockets = [socket.socket() for _ in range(number)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports
