"""`awesome workers`: what Flink's TaskManagers have Beam's steps done by."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.cli.common import app, example, print_line


@app.command(epilog=example("awesome workers --port 50000"))
def workers(
    port: Annotated[int, typer.Option(min=0, max=65535, help="To listen at; 0 for any that is free.")] = 50000,
) -> None:
    """Starts workers for the TaskManagers of this machine, until Ctrl-C.

    Each takes about a gigabyte while a step runs on it. What starts workers runs what it is sent: only TaskManagers
    may reach the port.
    """
    import logging

    from pipeline.job.quiet import quiet_children, quiet_tensorflow
    from pipeline.job.worker_pool import serve_workers

    quiet_tensorflow()
    quiet_children()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    try:
        serve_workers(port, lambda taken: print_line(f"workers are started at port {taken}"))
    except KeyboardInterrupt:
        print_line("stopped")
