"""What W&B's own environment variables say, and which of them a run follows.

Decisions: a variable counts where our config has its default, so that ``WANDB_PROJECT=mine thaw transfer …`` does what
it does elsewhere. A run has a W&B id of its own, under which it is resumed, so variables that name one run (for all
runs of a sweep alike) are hidden from W&B, with a note. Under ``wandb agent`` the run is the agent's: W&B then takes
id, project and entity from the agent, whatever it is told.
"""

import os
import re

from thaw.errors import ConfigError, nearest

AGENT, RUN_ID = "WANDB_SWEEP_ID", "WANDB_RUN_ID"
MODE = "WANDB_MODE"
SAID = (MODE, "WANDB_TAGS", "WANDB_NOTES", "WANDB_NAME", "WANDB_RUN_GROUP", "WANDB_JOB_TYPE")  # told in W&B's call
MODES = {"online": "online", "run": "online", "offline": "offline", "dryrun": "offline", "disabled": "disabled"}
OF_ONE_RUN = (RUN_ID, "WANDB_RESUME", "WANDB_RESUME_FROM", "WANDB_FORK_FROM")
ID = re.compile(r"[A-Za-z0-9_-]{1,128}")


def text(name: str) -> str | None:
    """Return what a variable says, None where it is not set or empty."""
    return os.environ.get(name, "").strip() or None


def mode() -> str | None:
    """Return the mode that WANDB_MODE asks for, None where it is not set.

    Raises ConfigError for a word that is no mode: what was to stay here would be sent.
    """
    asked = text(MODE)
    if asked is not None and asked.lower() not in MODES:
        raise ConfigError(f"{MODE}={asked} is no mode{nearest(asked.lower(), set(MODES.values()))}")
    return MODES[asked.lower()] if asked else None


def tags() -> list[str]:
    """Return the tags of WANDB_TAGS, which stand between commas."""
    return [tag.strip() for tag in (text("WANDB_TAGS") or "").split(",") if tag.strip()]


def agent_run() -> str | None:
    """Return the W&B id that ``wandb agent`` gave to this process' run, None where there is no agent."""
    run = text(RUN_ID) if text(AGENT) else None
    return run if run and ID.fullmatch(run) else None


def hidden() -> list[str]:
    """Return the variables that are set and that a run does not follow."""
    return [] if agent_run() else [name for name in (*OF_ONE_RUN, AGENT) if text(name)]
