"""`python -m deploy.images build|try`: build images without a container engine, and try them."""

import argparse
import sys
from pathlib import Path

from deploy.images.builder import IMAGES, Builder
from deploy.images.errors import ImageError
from deploy.images.trial import as_table, try_images


def main() -> int:
    """Run a subcommand; returns the exit status: 0 done, 1 failed, 2 usage."""
    parser = argparse.ArgumentParser(prog="python -m deploy.images", description=__doc__)
    parser.add_argument("--store", type=Path, default=Path("/var/tmp/packshot-images"))  # noqa: S108
    parser.add_argument("--driver", default="overlay", help="buildah's storage: overlay or vfs")
    commands = parser.add_subparsers(dest="command", required=True)
    build = commands.add_parser("build", help="build images on a base that debootstrap makes")
    build.add_argument("images", nargs="*", default=["gateway", "serving-cpu"])
    build.add_argument("--base", help="another base than debootstrap's")
    build.add_argument("--build-arg", action="append", default=[], metavar="NAME=VALUE")
    trial = commands.add_parser("try", help="render photos by the images, and weigh them")
    trial.add_argument("--photos", type=Path, default=Path("samples"))
    trial.add_argument("--out", type=Path, default=Path("out/images"))
    arguments = parser.parse_args()
    try:
        builder = Builder(arguments.store, arguments.driver)
        if arguments.command == "build":
            return _build(builder, arguments)
        for line in try_images(builder, arguments.photos, arguments.out):
            print(line)
        print(as_table(builder, ["packshot-gateway", "packshot-serving-cpu"]))
    except ImageError as exc:
        print(f"error: {exc}", file=sys.stderr)
        return 1
    return 0


def _build(builder: Builder, arguments: argparse.Namespace) -> int:
    if unknown := sorted(set(arguments.images) - set(IMAGES)):
        print(f"error: no image {', '.join(unknown)}, only {', '.join(IMAGES)}", file=sys.stderr)
        return 2
    base = arguments.base or builder.make_base()
    logs = Path("out/images")
    logs.mkdir(parents=True, exist_ok=True)
    for image in arguments.images:
        given = [f"BASE={base}", *arguments.build_arg]
        print(builder.build(image, given, logs / f"build-{image}.log"), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
