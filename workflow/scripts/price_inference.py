"""Compare what classifying one image costs: with and without what was learned of texts."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from pairdx.evaluation.inference_cost import Priced, price
from pairdx.files import write_json
from pairdx.logs import job_log
from pairdx.models.frozen_encoder import load_encoder
from pairdx.models.inputs import resources
from pairdx.models.registry import load_or_build
from pairdx.reporting.format.webpage import write_item
from pairdx.reporting.paper.stated import read_paper
from pairdx.reporting.systems.inference_cost import (
    TITLE,
    inference_for_reading,
    inference_notes,
    inference_table,
)

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

# Padded to the encoder's whole context, as every text is.
TEXT = "an H&E image"


def files_of(number: int) -> dict[str, Any]:
    """Return the inputs of one of those that are compared, by what they are."""
    numbered = {tuple(name.rsplit("_", 1)): files for name, files in snakemake.input.items()}
    return {part: files for (part, *at), files in numbered.items() if at == [str(number)]}


def image(size: int) -> np.ndarray:
    """Draw one image, uint8 (1, size, size, 3): what it shows costs nothing."""
    return np.random.default_rng(0).integers(0, 256, (1, size, size, 3), dtype=np.uint8)


def network(number: int, described: dict[str, Any]) -> Priced:
    """Load a network, and ask it to classify an image of its size."""
    found, params = files_of(number), snakemake.params
    classifier = load_or_build(found["settings"], {}, params.classes, resources(found))
    pixels = image(described["image_size"])
    tokens = classifier.tokenise([""])
    ask: Callable[[], object] = lambda: classifier.probabilities(pixels, tokens)  # noqa: E731
    return Priced(described["name"], ask, classifier.parameters, described["against"])


def whole_model(number: int, described: dict[str, Any]) -> Priced:
    """Load an encoder, and ask it to compare an image with a text."""
    encoder = load_encoder(
        described["settings"], resources(files_of(number)), snakemake.params.seed
    )
    pixels, tokens = image(encoder.parts.image_size), encoder.tokenise([TEXT])

    def ask() -> object:
        return encoder.image_features(pixels) @ encoder.caption_features(tokens).T

    return Priced(described["name"], ask, sum(encoder.parameters().values()), described["against"])


def groups() -> list[list[tuple[int, dict[str, Any]]]]:
    """Put together what is compared with one network, with their numbers: a backbone at a time."""
    found: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    for number, one in enumerate([*snakemake.params.systems, *snakemake.params.encoders]):
        found.setdefault(one["against"] or one["name"], []).append((number, one))
    return list(found.values())


def main() -> None:
    """Ask everyone in turn, backbone by backbone; write the rounds and the table."""
    params = snakemake.params
    with job_log(snakemake.log[0]) as log:
        found: dict[str, Any] = {}
        for group in groups():
            priced = price(
                [whole_model(*one) if "encoder" in one[1] else network(*one) for one in group],
                rounds=params.timing["images"],
                warm_up=params.timing["warm_up"],
                threads=snakemake.threads,
                seed=params.seed,
            )
            found = {**priced, "systems": found.get("systems", {}) | priced["systems"]}
        write_json(snakemake.output.rounds, found)
        described = [*params.systems, *params.encoders]
        paper = read_paper(snakemake.input.get("paper"))
        table = inference_table(found, described, paper)
        written = write_item(
            snakemake.output,
            "inference_cost",
            table,
            inference_for_reading(table, described, params.registry),
            title=TITLE,
            notes=inference_notes(found, table, described, params.registry, paper),
        )
        log.info("%s", written)


main()
