"""Measures on the device what limits a run: composing, and a step in variants."""

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from export.networks import lite
from export.networks.registry import levels_of, network_of
from export.training.dice import Dice
from export.training.gpu.config import DeviceConfig
from export.training.gpu.feed import Feed
from export.training.gpu.losses import device_loss
from export.training.gpu.scenes import compose_on
from export.training.gpu.workers import Workers

WARM, TIMED = 3, 8


def measure_pace(config: DeviceConfig) -> None:
    """Print pictures a second: of composing at each side, of a step in each variant."""
    begun = time.monotonic()
    workers = Workers([Path(one) for one in config.packs], config.workers, config.seed)
    feed = Feed(config, workers, lambda: config.sides[-1][1])
    print(f"ready after {time.monotonic() - begun:.1f} s", flush=True)
    time.sleep(2)
    put, since = feed.put, time.monotonic()
    while time.monotonic() - since < 2:  # noqa: PLR2004
        feed._put(workers.take(12))  # noqa: SLF001
    print(f"rendered: {(feed.put - put) / (time.monotonic() - since):.0f} a second", flush=True)
    workers.close()
    device = torch.device(config.device)
    torch.backends.cudnn.benchmark = True
    for _, side in config.sides:
        dice = Dice(1, device=device)
        took = _timed(
            device, partial(compose_on, dice, feed.bank, config.scenes, config.batch, side)
        )
        print(f"compose {side}: {config.batch / took:.0f} pictures a second", flush=True)
    for _, side in config.sides:
        for frozen, layout, wide in (
            (True, torch.channels_last, False),
            (False, torch.channels_last, False),
            (True, torch.contiguous_format, False),
            (True, torch.channels_last, True),
        ):
            _variant(replace(config, frozen_statistics=frozen), side, layout, wide=wide)
            if side != config.sides[0][1]:
                break
    if config.compiled:
        since = time.monotonic()
        _variant(config, 320, torch.channels_last, wide=False, compiled=True)
        print(f"with compiling {time.monotonic() - since:.0f} s", flush=True)


def _variant(
    config: DeviceConfig,
    side: int,
    layout: torch.memory_format,
    *,
    wide: bool,
    compiled: bool = False,
) -> None:
    device = torch.device(config.device)
    kept = lite.DEPTHWISE_IN_32_BITS
    lite.DEPTHWISE_IN_32_BITS = frozenset({device.type}) if wide else kept
    name = f"step {side} statistics {'frozen' if config.frozen_statistics else 'learnt'} {layout}"
    name += f"{' depthwise in 32 bits' if wide else ''}{' compiled' if compiled else ''}"
    try:
        network = network_of("lite").to(device).to(memory_format=layout)  # type: ignore[call-overload]
        network.encoder.frozen_statistics = config.frozen_statistics
        network.train()
        optimiser = torch.optim.AdamW(network.parameters(), fused=device.type == "cuda")
        photo = torch.rand(config.batch, 3, side, side, device=device).contiguous(
            memory_format=layout
        )
        alpha = (torch.rand(config.batch, 1, side, side, device=device) > 0.5).float()  # noqa: PLR2004
        ask = torch.compile(levels_of) if compiled else levels_of

        def step() -> None:
            with torch.autocast(device.type, torch.bfloat16):
                levels: list[Tensor] = ask(network, photo)
            loss = device_loss(levels, alpha, 0.2, 3.0)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()

        took = _timed(device, step)
        memory = torch.cuda.max_memory_allocated() / 2**30 if device.type == "cuda" else 0
        print(f"{name}: {config.batch / took:.0f} pictures a second, {memory:.0f} GiB", flush=True)
    except (RuntimeError, torch.OutOfMemoryError) as exc:
        print(f"{name}: {exc}", flush=True)
    finally:
        lite.DEPTHWISE_IN_32_BITS = kept


def _timed(device: torch.device, do: Callable[[], object]) -> float:
    """Give a call's seconds, after some to warm up."""
    for _ in range(WARM):
        do()
    _wait(device)
    since = time.perf_counter()
    for _ in range(TIMED):
        do()
    _wait(device)
    return (time.perf_counter() - since) / TIMED


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
