"""How gunicorn serves the backend. Its settings: the names are gunicorn's own."""

from __future__ import annotations

import os

from sample_backend import logs

wsgi_app = "sample_backend.wsgi:app"
bind = "0.0.0.0:5000"

# One process with threads: the work is waiting for Postgres, and more of it is the
# HorizontalPodAutoscaler's to serve, with pods instead of processes.
workers = int(os.environ.get("WEB_CONCURRENCY") or 1)
worker_class = "gthread"
threads = 8

# Longer than the 60 s for which ingress-nginx keeps an idle connection: who closes first loses
# the request that is just being sent.
keepalive = 75
timeout = 30
graceful_timeout = 10

# The root file system is read-only: the heartbeat goes to memory, and there is no control socket.
worker_tmp_dir = "/dev/shm"
control_socket_disable = True

logconfig_dict = logs.config(os.environ.get("LOG_LEVEL") or "INFO")
