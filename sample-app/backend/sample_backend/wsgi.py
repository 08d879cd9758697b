"""What gunicorn serves: the application over Postgres, as the environment describes it."""

from __future__ import annotations

import atexit
import os
import socket

from sample_backend.store import PostgresStore, Settings
from sample_backend.web import create_app

_store = PostgresStore(Settings.from_environment(os.environ))
# Opened after gunicorn's fork (the application is not preloaded): a pool has threads.
_store.open()
atexit.register(_store.close)

app = create_app(_store, host_name=socket.gethostname(), variant=os.environ.get("VARIANT") or "a")
