"""`panhuo serve`: migrations, the worker and the web server in one command, with no other service needed."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from panhuo.core.problems import PanhuoError
from panhuo.workspace.store import Workspace

SWITCH_S: Final = 0.001
"""How long one thread computes while others wait to go on: a page waits for an answer of the data a dozen times, and
each time would stand behind another page's five milliseconds."""


def prepare(root: Path) -> None:
    """Loads the site over the workspace at `root` and brings its tables up to date. PanhuoError where there is none."""
    Workspace.open(root)
    os.environ["PANHUO_WORKSPACE"] = str(root.resolve())
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "panhuo.site.settings")
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", interactive=False, verbosity=0)


def behind_proxy(is_https: bool, proxy: str) -> dict[str, Any]:
    """waitress's settings: whom to believe that a request came by https, and from whom. Without a proxy, nobody."""
    if not is_https:
        return {"clear_untrusted_proxy_headers": True}
    headers = {"x-forwarded-for", "x-forwarded-proto"}
    return {"clear_untrusted_proxy_headers": True, "trusted_proxy": proxy, "trusted_proxy_headers": headers}


def serve(
    root: Path, host: str, port: int, say: Callable[[str], None], *, new: bool = False, threads: int = 8
) -> None:
    """Serves the workspace at `root`, or with `new` an empty one made there, until interrupted.

    Raises PanhuoError where there is no workspace or it cannot listen.
    """
    claim(host, port)
    if new:
        Workspace.create(root)
    prepare(root)
    import waitress
    from django.urls import resolve

    from panhuo.site.accounts.acts import make_setup_token, setup_needed
    from panhuo.site.shelf import shelf
    from panhuo.site.wsgi import application

    shelf().cursor().close()
    resolve("/map/")  # loads every page's code before the door opens: the first visitor does not wait for it
    address = f"http://{host}:{port}"
    say(f"盘活 panhuo: {address}")
    if setup_needed():
        say("首次使用，请在此设立管理员 first run, make the administrator here:")
        say(f"  {address}/setup/{make_setup_token()}/")
    sys.setswitchinterval(SWITCH_S)
    worker = subprocess.Popen([sys.executable, "-m", "panhuo.site.serve", str(root)], stdin=subprocess.PIPE)
    try:
        waitress.serve(
            application,
            host=host,
            port=port,
            threads=threads,
            ident="panhuo",
            **behind_proxy(
                os.environ.get("PANHUO_HTTPS") == "1", os.environ.get("PANHUO_PROXY", "127.0.0.1")
            ),
        )
    finally:
        worker.terminate()
        worker.wait()


def claim(host: str, port: int) -> None:
    """Raises PanhuoError where one cannot listen: a port that is taken, an address not of this machine."""
    try:
        socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET).close()
    except OSError as fault:
        raise PanhuoError(
            "不能在此监听 cannot listen there",
            where=f"{host}:{port}",
            why=fault.strerror or str(fault),
            remedy="换一个 choose another --port, --host",
        ) from None


def end_with_server() -> None:
    """Ends this process when the server is gone, however it went: its end of our input closes then."""
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches both: the server ends the worker
    threading.Thread(target=end_with_server, daemon=True).start()
    prepare(Path(sys.argv[1]))
    from panhuo.site.jobs.work import forever

    forever()
