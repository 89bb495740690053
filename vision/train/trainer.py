"""Ultralytics' detection trainer with our network, our augmentation and mixed-aspect pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from ultralytics.data.dataset import YOLODataset
from ultralytics.models.yolo.detect import DetectionTrainer
from ultralytics.utils.torch_utils import unwrap_model

from .augment import CameraLook, CameraTransform, stretched
from .guide import Guide
from .network import build, load_network

ASPECT_P = 0.5
ASPECT_RANGE = (0.62, 1.6)
"""The bin pictures were stretched to squares; undoing that by a random aspect, half the time,
teaches shapes that cameras see. Log-uniform, width : height."""


class StreetDataset(YOLODataset):  # type: ignore[misc]
    """Pictures with random aspect before, and camera faults after, the usual augmentation."""

    look: CameraLook = CameraLook()

    def load_image(self, i: int, *args: Any, **kwargs: Any) -> Any:
        """See `YOLODataset.load_image`."""
        image, original, resized = super().load_image(i, *args, **kwargs)
        if not self.augment or np.random.random() >= ASPECT_P:
            return image, original, resized
        low, high = np.log(ASPECT_RANGE)
        image = stretched(image, float(np.exp(np.random.uniform(low, high))))
        return image, original, image.shape[:2]

    def build_transforms(self, hyp: Any) -> Any:
        """See `YOLODataset.build_transforms`."""
        transforms = super().build_transforms(hyp)
        if self.augment:
            transforms.insert(len(transforms.transforms) - 1, CameraTransform(self.look))
        return transforms


class StreetTrainer(DetectionTrainer):  # type: ignore[misc]
    """Trains `WorkshopModel` (bfloat16 forward on CPUs that have it, channels last)."""

    bf16: bool = False
    guide_from: Path | None = None
    loader_processes: int = 1

    def get_model(
        self, cfg: Any = None, weights: nn.Module | None = None, verbose: bool = True
    ) -> Any:
        """Our network on top of the base's weights; fresh training is not supported."""
        if weights is None:
            raise ValueError("training starts from a checkpoint")
        return build(weights, list(self.data["names"].values()), bf16=self.bf16)

    def _setup_train(self) -> None:
        """As upstream, then the guide joins: after the moving average was copied, so that it is
        neither averaged nor saved."""
        super()._setup_train()
        if self.guide_from is not None:
            base = load_network(self.guide_from).to(self.device, memory_format=torch.channels_last)
            names = list(self.data["names"].values())
            unwrap_model(self.model).guide = Guide(base, names, start=int(self.args.freeze or 0))

    def build_dataset(self, img_path: str, mode: str = "train", batch: int | None = None) -> Any:
        """Street augmentation in training, plain letterbox in validation."""
        stride = max(int(unwrap_model(self.model).stride.max()), 32)
        return StreetDataset(
            img_path=img_path,
            imgsz=self.args.imgsz,
            batch_size=batch,
            augment=mode == "train",
            hyp=self.args,
            rect=mode == "val",
            cache=self.args.cache or None,
            single_cls=False,
            stride=stride,
            pad=0.0 if mode == "train" else 0.5,
            prefix=f"{mode}: ",
            task="detect",
            data=self.data,
        )

    def get_dataloader(
        self, dataset_path: str, batch_size: int = 16, rank: int = 0, mode: str = "train"
    ) -> Any:
        """As upstream, but with the wanted loader processes on CPUs too (upstream sets none)."""
        self.args.workers = self.loader_processes
        return super().get_dataloader(dataset_path, batch_size, rank, mode)

    def save_model(self) -> Any:
        """As upstream, but a kill while writing never leaves a torn checkpoint behind."""
        targets = {name: getattr(self, name) for name in ("best", "last")}
        for name, path in targets.items():
            setattr(self, name, path.with_suffix(".part"))
        try:
            saved = super().save_model()
        finally:
            for name, path in targets.items():
                setattr(self, name, path)
        for path in targets.values():
            part = path.with_suffix(".part")
            if part.is_file():
                part.replace(path)
        return saved

    def preprocess_batch(self, batch: dict[str, Any]) -> dict[str, Any]:
        """As upstream, in the memory layout the network has."""
        batch = super().preprocess_batch(batch)
        batch["img"] = batch["img"].contiguous(memory_format=torch.channels_last)
        return batch
