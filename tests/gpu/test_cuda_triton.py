"""Triton with the backend on a real GPU, from the command line to an answer."""

from pathlib import Path

import numpy as np

from benchmarks.configuration import Configuration
from benchmarks.gpu_serving.gauges import processes_on_gpu
from benchmarks.gpu_serving.tables import read_photos
from benchmarks.triton import running_triton


def test_kind_gpu_is_served_by_the_gpu_and_nothing_else(root: Path, tmp_path: Path) -> None:
    alone = {"session.disable_cpu_ep_fallback": "1"}
    whole = Configuration("matte-fp16", "whole", parameters=alone)
    photos = read_photos(root / "samples")
    with running_triton(root / "model_repository", tmp_path, whole, "gpu") as triton:
        answered = triton.infer("whole", photos)
        assert answered.shape == (*photos.shape[:3], 1)
        assert np.unique(answered).size > 2
        held = [one["process"] for one in processes_on_gpu()]
        assert any("stub" in name for name in held), held
