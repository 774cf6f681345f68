"""Choose a text of a bank for every pair of a split."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pairdx.files import write_json
from pairdx.logs import job_log, logger
from pairdx.models.features import read_features
from pairdx.models.text_features import read_text_features, require_same_encoder
from pairdx.pairing.bank import read_texts
from pairdx.pairing.matches import (
    goes_to_most,
    most_used,
    pairs_to_match,
    summary_of,
    write_matches,
)
from pairdx.pairing.matching import candidates_of, choose_texts

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def warn_if_constant(summary: dict[str, Any]) -> None:
    """Log a warning where most training pairs get one text of many."""
    trained_on = summary["subsets"].get("train")
    if trained_on is None:
        return
    most, pairs, texts = most_used(trained_on), trained_on["pairs"], summary["texts"]
    if goes_to_most(most, pairs, texts, summary["settings"]["choose"]):
        logger.warning(
            "%d of %d training pairs get one and the same text (%s), of %d to choose from: it tells"
            " next to nothing of an image",
            *(most, pairs, trained_on["most_used"][0]["text_id"], texts),
        )


def main() -> None:
    """Write the matches of all subsets, and what they come to."""
    params, source, out = snakemake.params, snakemake.input, snakemake.output
    with job_log(snakemake.log[0]) as log:
        pairs = pairs_to_match(source.split, source.pairs)
        texts = read_texts(source.texts)
        of_images = read_features(Path(source.features))
        of_texts = read_text_features(Path(source.text_features))
        require_same_encoder(of_images.encoder, of_texts.encoder)
        of_bank = of_texts.of(texts["text_id"].tolist())
        subsets = pairs.set_index("pair_id")["subset"]
        candidates = candidates_of(texts, of_bank, pairs, subsets)
        images = of_images.image[of_images.rows(pairs["pair_id"].tolist())]
        matches = choose_texts(params.settings, pairs, images, candidates)
        write_matches(out.matches, matches)
        summary = summary_of(matches, pairs, int(candidates.allowed.sum()), params.settings)
        write_json(out.summary, summary)
        for name, of_subset in summary["subsets"].items():
            log.info(
                "%s: %d pairs, %d texts used of %d, mean cosine %.4f",
                *(name, of_subset["pairs"], of_subset["texts_used"], summary["texts"]),
                of_subset["cosine"]["mean"],
            )
        warn_if_constant(summary)


main()
