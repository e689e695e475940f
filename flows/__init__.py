"""What ties the rooms together: stages, Prefect flows, the schedule, the command line.

Prefect reads its settings when it is first imported, so they are set here, before any module of this room can do that.
What the environment says already prevails.
"""

import os
from pathlib import Path

os.environ.setdefault("DO_NOT_TRACK", "1")
os.environ.setdefault("PREFECT_SERVER_ANALYTICS_ENABLED", "false")
# its own limit of 20 s is missed on a busy machine
os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "180")
# what fails is told in one line of ours; Prefect would tell it three times, with tracebacks
os.environ.setdefault("PREFECT_LOGGING_LEVEL", "CRITICAL")
# Prefect's own server is on this machine: no proxy of the environment leads there
for _name in ("NO_PROXY", "no_proxy"):
    os.environ[_name] = ",".join(filter(None, [os.environ.get(_name), "127.0.0.1", "localhost"]))
# a home of our own: a profile in the user's may point to a server that is not meant for this
os.environ.setdefault("PREFECT_HOME", str(Path.cwd() / ".prefect"))
