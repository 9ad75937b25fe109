"""`python -m deploy.local serve|demo|contact-sheet|models`: run Packshot on this machine."""

import argparse
import os
import sys
from pathlib import Path

from deploy.local.contact_sheet import write_contact_sheet
from deploy.local.demo import run_demo
from deploy.local.interrupt import noting_signals
from deploy.local.models_sheet import write_models_sheet
from deploy.local.stack import running
from gateway.config import GatewayConfig
from processes.ready import ProcessError
from processes.settings import SettingError, load


def main() -> int:
    """Run a subcommand; returns the exit status: 0 done or told to stop, 1 failed, 2 usage."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="run Triton, the gateway and the page in the foreground")
    for name, out, text in (
        ("demo", "out/demo", "start all, render photos, stop all"),
        ("contact-sheet", "out/contact-sheet", "the same, in every way that there is"),
        ("models", "out/models", "the same, on white by every model that Triton loads"),
    ):
        pictures = commands.add_parser(name, help=text)
        pictures.add_argument(
            "--photos", type=Path, default=Path("samples"), help="folder of photos"
        )
        pictures.add_argument("--out", type=Path, default=Path(out), help="folder for the pictures")
    args = parser.parse_args()
    try:
        with noting_signals():
            match args.command:
                case "demo":
                    return run_demo(args.photos, args.out)
                case "contact-sheet":
                    return write_contact_sheet(args.photos, args.out)
                case "models":
                    return write_models_sheet(args.photos, args.out)
                case _:
                    return _serve()
    except (ProcessError, SettingError, OSError) as exc:
        print(f"error: {exc}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0 if args.command == "serve" else 1


def _serve() -> int:
    config = load(GatewayConfig, os.environ, [], prog="gateway")
    target = f"{config.host}:{config.port}"
    with running(os.environ, target, web=True) as stack:
        stack.wait_until_ready()
        print(
            f"Packshot is ready on {target}, its page on {stack.page}; Ctrl-C stops it",
            file=sys.stderr,
            flush=True,
        )
        stack.wait_until_ended()
    return 1


if __name__ == "__main__":
    sys.exit(main())
