"""Ultralytics' detection trainer with our network, our augmentation and mixed-aspect pictures.

Upstream resumes from half-precision averages and with fresh random numbers, so that a killed run
ends elsewhere than an undisturbed one. Here the full state is kept beside each checkpoint, and
what a picture looks like in an epoch depends on seed, epoch and picture alone: both end at the same
weights.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.data import Sampler
from ultralytics.data.build import InfiniteDataLoader, seed_worker
from ultralytics.data.dataset import YOLODataset
from ultralytics.models.yolo.detect import DetectionTrainer
from ultralytics.utils.torch_utils import unwrap_model

from ...config.errors import ModelError
from .augment import CameraLook, CameraTransform, stretched
from .guide import Guide
from .network import build, load_network, write_whole

ASPECT_P = 0.5
ASPECT_RANGE = (0.62, 1.6)
"""The bin pictures were stretched to squares; undoing that by a random aspect, half the time,
teaches shapes that cameras see. Log-uniform, width : height."""


class StreetDataset(YOLODataset):  # type: ignore[misc]
    """Pictures with random aspect before, and camera faults after, the usual augmentation."""

    look: CameraLook = CameraLook()
    seed: int = 0

    def __getitem__(self, key: int) -> dict[str, Any]:
        """The picture `key % n` as it looks in epoch `key // n`."""
        epoch, index = divmod(int(key), len(self))
        if self.augment:
            draw = np.random.SeedSequence((self.seed, epoch, index)).generate_state(3)
            random.seed(int(draw[0]))
            np.random.seed(int(draw[1]))
            torch.manual_seed(int(draw[2]))
        found: dict[str, Any] = super().__getitem__(index)
        return found

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


class EpochSampler(Sampler[int]):  # type: ignore[misc]
    """Pictures in an order that depends on seed and epoch only; yields `epoch * count + index`."""

    def __init__(self, count: int, seed: int) -> None:
        self.count, self.seed, self.epoch = count, seed, 0

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[int]:
        epoch, self.epoch = self.epoch, self.epoch + 1
        order = np.random.default_rng((self.seed, epoch)).permutation(self.count)
        return iter((epoch * self.count + order).tolist())


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
        dataset = StreetDataset(
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
        dataset.seed = self.args.seed
        return dataset

    def get_dataloader(
        self, dataset_path: str, batch_size: int = 16, rank: int = 0, mode: str = "train"
    ) -> Any:
        """As upstream, but training draws by epoch, with loader processes on CPUs too."""
        self.args.workers = self.loader_processes
        if mode != "train":
            return super().get_dataloader(dataset_path, batch_size, rank, mode)
        dataset = self.build_dataset(dataset_path, mode, batch_size)
        return InfiniteDataLoader(
            dataset,
            batch_size=min(batch_size, len(dataset)),
            sampler=EpochSampler(len(dataset), self.args.seed),
            num_workers=self.loader_processes,
            prefetch_factor=4 if self.loader_processes else None,
            collate_fn=dataset.collate_fn,
            worker_init_fn=seed_worker,
        )

    def save_model(self) -> Any:
        """As upstream, with the full state beside; a kill while writing leaves no torn file."""
        exact = self._exact_file(self.epoch)
        state = {
            "model": unwrap_model(self.model).state_dict(),
            "ema": self.ema.ema.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }
        write_whole(state, exact)
        targets = {name: getattr(self, name) for name in ("best", "last")}
        for name, path in targets.items():
            path.with_suffix(".part").unlink(missing_ok=True)  # torn by an earlier full disk
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
        for old in self.wdir.glob("exact-*.pt"):
            if old != exact:
                old.unlink()
        return saved

    def resume_training(self, ckpt: Any) -> None:
        """As upstream, then the full state of that epoch and its place in the order of pictures.

        Raises:
            ModelError: the full state is gone: the run could only end elsewhere.
        """
        super().resume_training(ckpt)
        if not self.resume or ckpt is None:
            return
        exact = self._exact_file(self.start_epoch - 1)
        if not exact.is_file():
            raise ModelError(
                f"{exact}: missing; remove the run folder to train this stage again",
                message_zh=f"缺少续训状态 {exact}；删除该运行目录后重新训练此阶段",
            )
        state = torch.load(exact, map_location="cpu", weights_only=True)
        unwrap_model(self.model).load_state_dict(state["model"])
        self.ema.ema.load_state_dict(state["ema"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.train_loader.sampler.epoch = self.start_epoch

    def _close_dataloader_mosaic(self) -> None:
        """As upstream; the loader starts anew after it, with this epoch's pictures."""
        super()._close_dataloader_mosaic()
        self.train_loader.sampler.epoch = self.epoch

    def final_eval(self) -> Any:
        """As upstream; a finished run needs no state to resume from."""
        result = super().final_eval()
        for old in self.wdir.glob("exact-*.pt"):
            old.unlink()
        return result

    def _exact_file(self, epoch: int) -> Path:
        return Path(self.wdir) / f"exact-{epoch}.pt"

    def preprocess_batch(self, batch: dict[str, Any]) -> dict[str, Any]:
        """As upstream, in the memory layout the network has."""
        batch = super().preprocess_batch(batch)
        batch["img"] = batch["img"].contiguous(memory_format=torch.channels_last)
        return batch
