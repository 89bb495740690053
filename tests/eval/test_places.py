"""Address elements on the labelled development part, through the shipped model."""

from __future__ import annotations

from pathlib import Path

from xiaozheng.eval.places import address_figures
from xiaozheng.models.registry import Registry
from xiaozheng.nlp.place.tagger import PlaceTagger


def test_the_first_addresses_are_read_as_the_card_says(shared_dir: Path, tmp_path: Path) -> None:
    whole = (shared_dir / "data/text/address_ner/dev.conll").read_text("utf-8")
    part = tmp_path / "part.conll"
    part.write_text("\n\n".join(whole.split("\n\n")[:250]) + "\n", encoding="utf-8")
    figures = address_figures(part, PlaceTagger.open(Registry()))
    assert figures["f1"] >= 0.87
    assert figures["per_kind"]["prov"]["f1"] >= 0.97
