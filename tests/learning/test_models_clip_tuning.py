"""Sentences drawn in every epoch, and relaxed positive pairs, of the objective contrastive."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.typing import NDArray

import tiny_models as tiny
from pairdx.models.base import FitJob, ObservingClassifier, Pairs, predict
from pairdx.models.clip import system as clip
from pairdx.models.clip.objectives import Contrastive, contrastive_loss
from pairdx.models.clip.relaxation import Relaxation, relaxed_loss
from pairdx.models.clip.relaxed import OBSERVED, RelaxedContrastive
from pairdx.models.clip.sentence_draws import DrawnSentences
from pairdx.training.batches import Batch, BatchSource, Examples
from tiny_clip import build

CPU = torch.device("cpu")
REPORTS = [
    "There is edema. No effusion is seen. The heart is large. Comparison is made with a prior.",
    "Clear lungs.",
    "",
    "Small nodule on the left. No fracture.",
]
ONE = {"at_least": 1, "at_most": 1}
SCALE = torch.tensor(10.0)
# Cosines of four pairs; of two the cosine is above 0.3.
COSINES = torch.tensor(
    [[0.6, 0.1, -0.2, 0.3], [0.2, 0.2, 0.5, 0.0], [0.1, 0.4, 0.4, 0.1], [0.0, 0.1, 0.2, 0.1]]
)
ABOVE = torch.tensor([True, False, True, False])
NO_EFFECT: list[dict[str, Any]] = [
    {"form": "none"},
    {"form": "clip", "threshold": 1.0},
    {"form": "clip", "threshold": 1.5, "sides": "numerator"},
    {"form": "slope", "threshold": 0.1, "slope": 1.0},
    {"form": "slope", "quantile": 0.5, "slope": 1},
    {"form": "slope", "threshold": 1, "slope": 0.2},
    {"form": "target", "epsilon": 0.0},
]
CLIP = {"form": "clip", "threshold": 0.3}
CHANGING: list[dict[str, Any]] = [
    CLIP,
    {**CLIP, "sides": "numerator"},
    {"form": "slope", "threshold": 0.3, "slope": 0.25},
    {"form": "slope", "threshold": 0.3, "slope": 0.25, "sides": "numerator"},
    {"form": "target", "epsilon": 0.2},
]


class KilledError(Exception):
    """Stands for whatever kills a job."""


def reports(count: int, seed: int = 0) -> Pairs:
    """Pairs whose captions have two sentences, one of them about the class."""
    pairs = tiny.make_pairs(count, seed=seed)
    captions = [f"Study {at % 5} was read. {text}." for at, text in enumerate(pairs.captions)]
    return Pairs(pairs.table.assign(caption=captions), pairs.images, pairs.classes)


def drawn(seed: int = 1, texts: list[str] = REPORTS, **settings: int) -> DrawnSentences:
    return DrawnSentences(texts, build().parts.tokenise, {**ONE, **settings}, seed)


def loss_of(
    settings: dict[str, Any], cosines: torch.Tensor, same: torch.Tensor | None = None
) -> torch.Tensor:
    how = Relaxation.of(settings)
    assert how is not None
    return relaxed_loss(cosines, SCALE, same, how, torch.tensor(how.threshold or 0.0))


def plain(cosines: torch.Tensor) -> torch.Tensor:
    """CLIP's loss of a matrix of cosines, by the project's own function."""
    return contrastive_loss(cosines, torch.eye(len(cosines)), SCALE)


# -------------------------------------------------------------------- what is drawn


def test_as_many_sentences_as_there_are_leave_the_text_as_it_is() -> None:
    """Bit for bit the tokens of the full text, with whatever white space it has."""
    texts = [*REPORTS, "One  is here.\nTwo is there."]
    full = build().parts.tokenise(texts).numpy()
    all_rows = np.arange(len(texts))
    found = drawn(texts=texts, at_least=4, at_most=9)
    assert found.drawn(4, 3) == texts[4]
    for epoch in (1, 2, 7):
        np.testing.assert_array_equal(found.tokens(all_rows, epoch), full)
    # Before training, and in validation, nothing is drawn.
    np.testing.assert_array_equal(drawn(texts=texts).tokens(all_rows, 0), full)


def test_draws_are_of_the_texts_own_sentences_in_their_order() -> None:
    found = drawn(at_least=2, at_most=3)
    own = found.sentences[0]
    assert len(own) == 4
    seen = set()
    for epoch in range(1, 40):
        read = found.drawn(0, epoch)
        places = [place for place, sentence in enumerate(own) if sentence in read]
        assert read == " ".join(own[place] for place in places)
        seen.add(len(places))
    assert seen == {2, 3}
    assert [found.drawn(row, 5) for row in (1, 2)] == REPORTS[1:3]


def test_every_sentence_is_drawn_about_as_often() -> None:
    """Of 4 sentences one at a time in 400 epochs: 100 each, give or take 4 deviations."""
    found = drawn()
    counts = pd.Series([found.drawn(0, epoch) for epoch in range(1, 401)]).value_counts()
    assert set(counts.index) == set(found.sentences[0])
    assert counts.between(65, 135).all()


def test_a_draw_depends_on_seed_epoch_and_row_alone() -> None:
    """Not on the batch that it is part of, nor on what was drawn before."""
    texts = [REPORTS[0]] * 30
    first = drawn(texts=texts)
    expected = first.tokens(np.arange(30), 2)
    again = drawn(texts=texts)
    rows = np.random.default_rng(1).permutation(30)
    shares = np.concatenate([again.tokens(part, 2) for part in np.array_split(rows, 7)])
    np.testing.assert_array_equal(shares, expected[rows])
    as_read = [[one.drawn(row, 2) for row in range(30)] for one in (first, drawn(2, texts))]
    assert as_read[0] != as_read[1]
    assert as_read[0] != [first.drawn(row, 3) for row in range(30)]
    assert len(set(as_read[0])) == 4


def test_batches_of_an_epoch_hold_what_that_epoch_reads() -> None:
    """Training reads anew; without an epoch, as validation asks, texts are whole."""
    pairs, texts = tiny.make_pairs(4), drawn()
    source = BatchSource(Examples(pairs.images, pairs.labels, texts), CPU)
    rows = np.array([3, 0])
    for epoch in (1, 2, 0):
        batch = next(source.batches([rows], epoch))
        assert torch.equal(batch.texts, torch.from_numpy(texts.tokens(rows, epoch)))
    assert torch.equal(next(source.batches([rows])).texts, batch.texts)


# -------------------------------------------------------------------- texts that repeat each other

# Rows 0 and 4 share a text, 1 and 2 but for letters that no token tells apart; 1 and 3 share a
# sentence, and so do 3 and 5.
REPEATED = [
    "There is edema. No fracture. The heart is large.",
    "Clear lungs. No effusion.",
    "clear  lungs. No EFFUSION.",
    "Clear lungs. No fracture.",
    "There is edema. No fracture. The heart is large.",
    "No fracture.",
]
WHOLE = {(0, 4), (1, 2)}


def spared(epoch: int, *, drawing: bool = True, **changes: Any) -> torch.Tensor | None:
    """Which of REPEATED are no negatives in an epoch: bool (6, 6)."""
    pairs, classifier = tiny.make_pairs(len(REPEATED)), build(**changes)
    whole = classifier.parts.tokenise(REPEATED).numpy()
    texts = drawn(texts=REPEATED) if drawing else whole
    source = BatchSource(Examples(pairs.images, pairs.labels, texts), CPU)
    objective = clip._objective(classifier)
    assert isinstance(objective, Contrastive)
    return objective.duplicates(next(source.batches([np.arange(len(REPEATED))], epoch)))


def places(cells: torch.Tensor | None) -> set[tuple[int, int]]:
    """The pairs of rows that a symmetric mask, false on its diagonal, holds."""
    assert cells is not None
    assert torch.equal(cells, cells.T)
    assert not cells.diagonal().any()
    return {(one, other) for one, other in cells.nonzero().tolist() if one < other}


def test_texts_that_are_the_same_as_a_whole_are_spared_whatever_is_drawn_of_them() -> None:
    """At least the pairs of plain tuning, and those of which the same sentence is drawn."""
    assert places(spared(1, drawing=False)) == WHOLE
    assert places(spared(0)) == WHOLE
    found, differing = drawn(texts=REPEATED), 0
    for epoch in range(1, 25):
        read = [found.drawn(row, epoch).lower() for row in range(len(REPEATED))]
        alike = {
            (one, other)
            for one in range(len(REPEATED))
            for other in range(one + 1, len(REPEATED))
            if read[one] == read[other]
        }
        assert places(spared(epoch)) == WHOLE | alike
        differing += not alike >= WHOLE
    assert differing > 5
    assert spared(1, ignore_duplicate_captions=False) is None


@pytest.mark.parametrize("relaxation", [None, CHANGING[0], CHANGING[2], CHANGING[4]], ids=str)
def test_a_batch_of_one_text_pushes_nothing_apart_in_training(
    relaxation: dict[str, Any] | None,
) -> None:
    """Whatever sentences were drawn, and in every form that has no loss without negatives."""
    pairs, texts = tiny.make_pairs(4), drawn(texts=[REPEATED[0]] * 4)
    classifier = build(relaxation=relaxation)
    objective = clip._objective(classifier)
    with torch.no_grad():
        objective.prepare()
    classifier.network.train()
    source = BatchSource(Examples(pairs.images, pairs.labels, texts), CPU)
    batch = next(source.batches([np.arange(4)], 1))
    assert len(batch.texts.unique(dim=0)) > 1
    loss, _ = objective(batch)
    assert float(loss.detach()) == pytest.approx(0, abs=1e-6)


# -------------------------------------------------------------------- the relaxed loss


@pytest.mark.parametrize("settings", NO_EFFECT, ids=str)
def test_what_relaxes_nothing_is_the_plain_objective_itself(settings: dict[str, Any]) -> None:
    """Bit for bit: no operation is added, and no column of training.csv."""
    assert Relaxation.of(settings) is None
    assert type(clip._objective(build(relaxation=settings))) is Contrastive


@pytest.mark.parametrize("settings", CHANGING, ids=str)
def test_a_threshold_that_no_pair_reaches_changes_no_loss(settings: dict[str, Any]) -> None:
    low = COSINES.clone()
    low.fill_diagonal_(0.1)
    if settings["form"] == "target":
        assert loss_of(settings, low) != plain(low)
    else:
        torch.testing.assert_close(loss_of(settings, low), plain(low))


def by_hand(settings: dict[str, Any], same: NDArray[np.bool_]) -> float:
    """The relaxed loss of COSINES in float64, from its definition."""
    cosines, size = COSINES.double().numpy(), len(COSINES)
    if settings["form"] == "target":
        return _smoothed(cosines, settings["epsilon"], same)
    positive = np.diag(cosines).copy()
    above = positive > settings["threshold"]
    beyond = positive[above] - settings["threshold"]
    positive[above] = settings["threshold"] + settings.get("slope", 0.0) * beyond
    allowed = np.where(same, 0.0, np.exp(10 * cosines))
    if settings.get("sides", "both") == "both":
        allowed[np.arange(size), np.arange(size)] = np.exp(10 * positive)
    terms = [-np.log(np.exp(10 * positive) / allowed.sum(axis=axis)) for axis in (0, 1)]
    return float(np.mean(terms))


def _smoothed(cosines: NDArray[np.float64], epsilon: float, same: NDArray[np.bool_]) -> float:
    size, losses = len(cosines), []
    for scores, spared in ((10 * cosines, same), (10 * cosines.T, same.T)):
        for row in range(size):
            others = [at for at in range(size) if at != row and not spared[row, at]]
            total = np.exp(scores[row, [row, *others]]).sum()
            logs = np.log(np.exp(scores[row]) / total)
            losses.append(-(1 - epsilon) * logs[row] - epsilon * logs[others].mean())
    return float(np.mean(losses))


@pytest.mark.parametrize("spared", [False, True])
@pytest.mark.parametrize("settings", CHANGING, ids=str)
def test_the_relaxed_loss_is_its_definition(settings: dict[str, Any], spared: bool) -> None:
    """By hand in float64, with and without a pair that is no negative."""
    same = torch.zeros(4, 4, dtype=torch.bool)
    if spared:
        same[0, 2] = same[2, 0] = True
    expected = by_hand(settings, same.numpy())
    assert float(loss_of(settings, COSINES, same)) == pytest.approx(expected, rel=1e-5)


def gradient(settings: dict[str, Any] | None) -> torch.Tensor:
    cosines = COSINES.clone().requires_grad_()
    (plain(cosines) if settings is None else loss_of(settings, cosines)).backward()
    assert cosines.grad is not None
    return cosines.grad


def test_above_the_threshold_a_clipped_pair_has_no_gradient() -> None:
    """Exactly none; below it, it has the sign of the plain one."""
    found = gradient(CLIP).diagonal()
    assert (found[ABOVE] == 0).all()
    assert (found[~ABOVE] < 0).all()


def test_clipped_in_the_numerator_alone_a_pair_is_pushed_down_by_the_denominator() -> None:
    """The positive term has no gradient above the threshold: the softmax's own is left."""
    found = gradient({**CLIP, "sides": "numerator"}).diagonal()
    rows, columns = ((10 * COSINES).softmax(dim=axis).diagonal() for axis in (1, 0))
    left = 10 * (rows + columns) / 2 / 4
    torch.testing.assert_close(found[ABOVE], left[ABOVE])
    torch.testing.assert_close(found[~ABOVE], (left - 10 / 4)[~ABOVE])


def test_above_the_threshold_a_slope_leaves_its_share_of_the_gradient() -> None:
    """That of the plain loss of the relaxed cosines, times the slope."""
    settings = CHANGING[2]
    moved = COSINES.clone()
    moved.diagonal()[ABOVE] = 0.3 + 0.25 * (moved.diagonal()[ABOVE] - 0.3)
    moved.requires_grad_()
    plain(moved).backward()
    assert moved.grad is not None
    expected = moved.grad.clone()
    expected.diagonal()[ABOVE] *= 0.25
    torch.testing.assert_close(gradient(settings), expected)


@pytest.mark.parametrize("settings", CHANGING, ids=str)
def test_only_the_diagonal_is_relaxed(settings: dict[str, Any]) -> None:
    """A threshold far above all others: each cosine of no pair has the plain loss's gradient."""
    off = ~torch.eye(4, dtype=torch.bool)
    high = torch.where(off, 0.9, 0.2)  # cosines of no pair above the threshold stay as they are
    if settings["form"] == "target":
        return
    torch.testing.assert_close(loss_of(settings, high), plain(high))
    if settings.get("sides") == "numerator":
        torch.testing.assert_close(gradient(settings)[off], gradient(None)[off])


@pytest.mark.parametrize("settings", CHANGING, ids=str)
def test_images_and_texts_can_change_places(settings: dict[str, Any]) -> None:
    torch.testing.assert_close(loss_of(settings, COSINES), loss_of(settings, COSINES.T))


@pytest.mark.parametrize("settings", CHANGING, ids=str)
def test_a_batch_of_one_text_gives_a_finite_loss_and_gradient(settings: dict[str, Any]) -> None:
    """Nothing is a negative, and nothing is to be told apart."""
    cosines = COSINES.clone().requires_grad_()
    loss = loss_of(settings, cosines, ~torch.eye(4, dtype=torch.bool))
    loss.backward()
    assert cosines.grad is not None
    assert cosines.grad.isfinite().all()
    # In the numerator alone a clipped pair is not in balance with its denominator.
    assert settings.get("sides") == "numerator" or float(loss.detach()) == pytest.approx(
        0, abs=1e-6
    )


# -------------------------------------------------------------------- in training


def batches(pairs: Pairs, classifier: clip.ClipClassifier) -> Iterator[Batch]:
    texts = classifier.parts.tokenise(pairs.captions).numpy()
    source = BatchSource(Examples(pairs.images, pairs.labels, texts), CPU)
    return source.batches(np.array_split(np.arange(len(pairs)), 3))


def test_a_quantile_is_one_of_the_training_pairs_before_training() -> None:
    """By hand: the cosine of each image with its own text."""
    pairs, classifier = reports(12), build(relaxation={"form": "clip", "quantile": 0.75})
    objective = clip._objective(classifier)
    assert isinstance(objective, RelaxedContrastive)
    with torch.no_grad():
        objective.begin(batches(pairs, classifier))
        images = classifier.image_features(pairs.images)
        texts = classifier.network.text_features(classifier.parts.tokenise(pairs.captions))
    expected = np.quantile((images * texts).sum(dim=1).numpy(), 0.75)
    assert float(objective.threshold) == pytest.approx(float(expected), abs=1e-6)


def test_validation_has_the_plain_loss_and_says_how_many_pairs_are_above() -> None:
    """So that losses of systems compare, whatever they were trained by."""
    pairs, losses = reports(6), []
    for changes in ({}, {"relaxation": {"form": "clip", "threshold": -1.0}}):
        classifier = build(**changes)
        objective = clip._objective(classifier)
        classifier.network.eval()
        with torch.no_grad():
            objective.prepare()
            losses.append([objective(batch)[0] for batch in batches(pairs, classifier)])
    assert all(torch.equal(*both) for both in zip(*losses, strict=True))
    seen = objective.observed()
    assert list(seen) == list(OBSERVED)
    assert seen["above_threshold"] == 1
    assert -1 < seen["positive_cosine"] < 1


TUNED: dict[str, Any] = {
    "sentence_sampling": ONE,
    "relaxation": {"form": "clip", "quantile": 0.5},
    "epochs": 3,
}


def test_what_was_measured_stands_in_training_csv_and_in_the_passport() -> None:
    classifier = build(**TUNED)
    rows = clip.fit(classifier, reports(17), reports(6, 1), FitJob(seed=1))
    assert list(rows.columns[-2:]) == list(OBSERVED)
    assert rows["above_threshold"].between(0, 1).all()
    assert isinstance(classifier, ObservingClassifier)
    assert classifier.observed["sentences_per_text"] == {"median": 2.0, "at_most_one": 0.0}
    assert -1 < classifier.observed["positive_threshold"] < 1
    plain_one = build(epochs=1)
    rows = clip.fit(plain_one, reports(17), reports(6, 1), FitJob(seed=1))
    assert plain_one.observed == {}
    assert rows.columns[-1] == "samples_per_second"


def weights_of(job: FitJob, **changes: Any) -> dict[str, torch.Tensor]:
    classifier = build(**{**TUNED, **changes})
    clip.fit(classifier, reports(17), reports(6, 1), job)
    threshold = torch.tensor(classifier.observed.get("positive_threshold", 0.0))
    return {**classifier.parts.clip.state_dict(), "threshold": threshold}


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one)


def test_an_interrupted_tuning_ends_with_the_same_weights_and_threshold(tmp_path) -> None:
    """Killed twice: what is drawn later, and the threshold, are those of an undisturbed one."""

    def kill(_) -> None:
        raise KilledError

    undisturbed = weights_of(FitJob(seed=1))
    for _ in range(2):
        with pytest.raises(KilledError):
            weights_of(FitJob(seed=1, state_folder=tmp_path, after_epoch=kill))
    assert same(weights_of(FitJob(seed=1, state_folder=tmp_path)), undisturbed)


def test_each_of_the_two_changes_what_is_learned() -> None:
    job = FitJob(seed=1)
    both = weights_of(job, epochs=1)
    assert not same(both, weights_of(job, epochs=1, relaxation=None))
    assert not same(both, weights_of(job, epochs=1, sentence_sampling=None))


def test_settings_that_change_nothing_train_the_very_same_weights() -> None:
    """All sentences and a threshold of 1: the weights of the plain objective, bit for bit."""
    job, none = FitJob(seed=1), {"sentence_sampling": None, "relaxation": None}
    unchanged = {
        "sentence_sampling": {"at_least": 99, "at_most": 99},
        "relaxation": {"form": "clip", "threshold": 1.0},
    }
    assert same(weights_of(job, epochs=2, **none), weights_of(job, epochs=2, **unchanged))


# -------------------------------------------------------------------- several labels per pair


def with_findings(count: int, seed: int) -> Pairs:
    """Pairs of which any class can be true; of every fifth nothing is known of the last."""
    pairs = reports(count, seed)
    known = [
        f"{label}|{pairs.classes[2]}?" if at % 5 == 0 and label != pairs.classes[2] else label
        for at, label in enumerate(pairs.table["label"])
    ]
    return Pairs(pairs.table.assign(findings=known), pairs.images, pairs.classes)


def test_the_accuracy_of_several_labels_is_the_share_of_known_ones_that_is_right() -> None:
    """That of the finished model's predictions, a probability above one half saying true."""
    prompts = {"positive": ["{}"], "negative": ["no {}"]}
    classifier = build(several=True, finding_prompts=prompts, epochs=2)
    validation = with_findings(12, 1)
    rows = clip.fit(classifier, with_findings(17, 0), validation, FitJob(seed=1))
    truth, said = validation.findings, predict(classifier, validation, 5) > 0.5
    known = ~np.isnan(truth)
    assert not known.all()
    right = (said == (truth == 1))[known].mean()
    assert rows["validation_accuracy"].iloc[-1] == pytest.approx(right)
