"""Two models, one answer: linear n-grams and encoder weighed against each other, then calibrated.

The log probabilities of both are averaged (a logarithmic opinion pool, Genest & Zidek 1986) and
the average is treated as margins of `calibrate.Calibration`: the saturating shape made the pool
better than free log-linear weights (negative log likelihood .580 against .594 on 823 messages).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..config.errors import ModelError
from .calibrate import Calibration, log_softmax, softmax

Floats: TypeAlias = NDArray[np.float64]

LEAST_PROBABILITY = 1e-9


@dataclass(frozen=True, slots=True)
class Blend:
    """Parameters of one head: the encoder's share of the pool (0 to 1) and the final shape."""

    encoder_share: float
    calibration: Calibration

    def probabilities(self, linear: NDArray[np.floating], logits: NDArray[np.floating]) -> Floats:
        """Linear model's probabilities (N, K) and encoder logits (N, K) → (N, K)."""
        return self.calibration.probabilities(self._margins(linear, logits))

    def pulls(
        self, linear: NDArray[np.floating], logits: NDArray[np.floating], contrasts: Floats
    ) -> tuple[Floats, Floats]:
        """How a contrast of the answer's logits grows with either model's, to first order.

        Args:
            contrasts: weights of the final logits (N, K).

        Returns:
            Weights (N, K) of the linear model's log odds and of the encoder's logits.
        """
        margins = self._margins(linear, logits)
        weighed = contrasts * self.calibration.slopes(margins)
        total = weighed.sum(axis=1, keepdims=True)
        share = self.encoder_share
        return (
            (1 - share) * (weighed - linear * total),
            share * (weighed - softmax(logits.astype(np.float64)) * total),
        )

    def _margins(self, linear: NDArray[np.floating], logits: NDArray[np.floating]) -> Floats:
        said = np.log(np.maximum(linear.astype(np.float64), LEAST_PROBABILITY))
        return pooled_margins(said, log_softmax(logits.astype(np.float64)), self.encoder_share)

    def to_manifest(self) -> dict[str, Any]:
        """What `of_manifest` reads."""
        return {"encoder_share": self.encoder_share, "calibration": asdict(self.calibration)}

    @staticmethod
    def of_manifest(extra: Mapping[str, Any], head: str) -> Blend:
        """Read `extra["blend"][head]`.

        Raises:
            ModelError: missing or malformed.
        """
        try:
            found = extra["blend"][head]
            return Blend(
                float(found["encoder_share"]), Calibration.of_mapping(found["calibration"])
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ModelError(f"manifest: no blend of the {head} head ({error})") from None


def pooled_margins(linear: Floats, encoder: Floats, encoder_share: float) -> Floats:
    """Log probabilities of both models (N, K) → their weighted mean (N, K)."""
    return (1 - encoder_share) * linear + encoder_share * encoder
