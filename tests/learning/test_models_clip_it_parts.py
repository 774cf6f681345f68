"""CLIP-IT's parts on cases computed by hand: each loss, each fusion, word dropout, collapse."""

from __future__ import annotations

import math

import numpy as np
import open_clip
import pytest
import torch
from torch import nn

import tiny_clip_it as tiny
from pairdx.errors import PairDxError
from pairdx.models.clip_it.backbones import Backbone, Facts
from pairdx.models.clip_it.collapse import Spread, is_collapsed, spread_of, warning_of
from pairdx.models.clip_it.network import ClipItNetwork
from pairdx.models.clip_it.objective import (
    Distillation,
    InTraining,
    classification_loss,
    text_distances,
)
from pairdx.models.clip_it.teacher import Teacher, make_teacher, without_words
from pairdx.training.batches import Batch

BRANCH = {"layers": 1, "hidden": 2, "negative_slope": 0.1, "dimension": 2}
# One orange image and one blue one; the backbone below sees their mean colours.
IMAGES = torch.tensor([[1.0, 0.5, 0.0], [0.0, 0.0, 1.0]])[:, :, None, None].expand(-1, -1, 4, 4)


def network(*, classes: int = 2, **changes) -> ClipItNetwork:
    """A network whose backbone gives the mean of each colour."""
    colours = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    facts = Facts(3, None, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
    settings = tiny.settings(**({"text_branch": BRANCH, "trains": "everything"} | changes))
    return ClipItNetwork(Backbone(colours, facts), settings, classes, 1)


@torch.no_grad()
def put(layer: nn.Module | None, weight: list[list[float]], bias: list[float]) -> None:
    assert isinstance(layer, nn.Linear)
    assert layer.weight.shape == torch.Size([len(weight), len(weight[0])])
    layer.weight.copy_(torch.tensor(weight))
    layer.bias.copy_(torch.tensor(bias))


def put_all(made: ClipItNetwork) -> None:
    """By these numbers h_d gives (1, -1) for orange and (0, 2) for blue."""
    put(made.to_text, [[1, 0, 0], [0, -2, 2]], [0, 0])
    put(made.classify.image, [[1, 2, 0], [0, 0, 3]], [0, 1])
    put(made.classify.text[0], [[1, 1], [0, 1]], [0, 0])
    put(made.classify.text[2], [[1, 0], [10, 1]], [1, 0])
    put(made.classify.fuse, [[1, 0, 2, 0], [0, 1, 0, -1]], [0, 0.5])


def test_late_fusion_joins_the_scores_of_image_and_predicted_text() -> None:
    """Orange: h_v (2, 1), h_t of (0, -0.1) is (1, -0.1), so g (4, 1.6); blue likewise."""
    made = network()
    put_all(made)
    seen = made.see(IMAGES)
    assert seen.image.tolist() == [[1, 0.5, 0], [0, 0, 1]]
    assert seen.text is not None
    assert seen.text.tolist() == [[1, -1], [0, 2]]
    # Blue: h_v (0, 4); h_t: hidden (2, 2), scores (3, 22); g (0 + 6, 4 - 22 + 0.5).
    expected = torch.tensor([[4.0, 1.6], [6.0, -17.5]])
    torch.testing.assert_close(seen.scores, expected)
    torch.testing.assert_close(made(IMAGES), expected)


def test_early_fusion_is_one_layer_on_both_features() -> None:
    made = network(fusion="early")
    put(made.to_text, [[1, 0, 0], [0, -2, 2]], [0, 0])
    put(made.classify.fuse, [[1, 1, 1, 1, 0], [0, 0, 0, 0, 3]], [0, -1])
    torch.testing.assert_close(made(IMAGES), torch.tensor([[2.5, -4.0], [1.0, 5.0]]))
    assert [name for name, _ in made.classify.named_children()] == ["fuse"]


def test_without_fusion_the_image_is_classified_alone() -> None:
    """With a text branch, which only the distillation loss sees, and without."""
    for branch in (BRANCH, None):
        made = network(fusion="none", text_branch=branch)
        put(made.classify.image, [[1, 2, 0], [0, 0, 3]], [0, 1])
        assert made(IMAGES).tolist() == [[2, 1], [0, 4]]
        assert (made.to_text is None) == (branch is None)
        assert [name for name, _ in made.classify.named_children()] == ["image"]


def test_two_layers_predict_a_text_through_a_leaky_one_as_wide_as_the_image() -> None:
    made = network(text_branch={**BRANCH, "layers": 2})
    first, slope, last = made.to_text
    put(first, [[-1, 0, 0], [0, 1, 0], [0, 0, 1]], [0, 0, 0])
    put(last, [[1, 1, 0], [0, 0, 1]], [0, 0])
    # Orange: (-1, 0.5, 0) becomes (-0.1, 0.5, 0).
    torch.testing.assert_close(made.see(IMAGES).text, torch.tensor([[0.4, 0.0], [0.0, 1.0]]))
    assert slope.negative_slope == 0.1


def test_a_fusion_of_nothing_is_refused() -> None:
    with pytest.raises(PairDxError, match="nothing to fuse"):
        network(text_branch=None, fusion="late")
    with pytest.raises(PairDxError, match="no fusion 'middle'"):
        network(fusion="middle")


def test_images_are_resized_on_their_way_into_the_backbone() -> None:
    """Bilinear with a filter against aliasing: halved, a chequered image becomes grey."""
    made = network(resize_to=2)
    sides = []
    made.backbone.register_forward_hook(lambda _, given, __: sides.append(given[0]))
    chequered = (torch.arange(8)[:, None] + torch.arange(8)) % 2
    made(chequered.float().expand(1, 3, 8, 8))
    made(IMAGES)
    made(torch.zeros(1, 3, 2, 2))
    assert [tuple(one.shape[2:]) for one in sides] == 3 * [(2, 2)]
    torch.testing.assert_close(sides[0], torch.full((1, 3, 2, 2), 0.5), atol=0.1, rtol=0)
    torch.testing.assert_close(sides[1], IMAGES[:, :, :2, :2])


def test_cross_entropy_after_one_softmax_and_after_two() -> None:
    """Odds of 3 to 1: the authors' second softmax takes probabilities for scores."""
    scores, labels = torch.tensor([[math.log(3), 0.0], [0.0, math.log(3)]]), torch.tensor([0, 0])
    single = -(math.log(0.75) + math.log(0.25)) / 2
    right, wrong = (1 / (1 + math.exp(-gap)) for gap in (0.5, -0.5))
    double = -(math.log(right) + math.log(wrong)) / 2
    assert classification_loss(scores, labels, twice=False).item() == pytest.approx(single)
    assert classification_loss(scores, labels, twice=True).item() == pytest.approx(double)


def test_distances_of_texts_are_one_minus_their_cosine_whatever_their_length() -> None:
    predicted = torch.tensor([[1.0, 0.0], [2.0, 0.0], [5.0, 0.0], [-1.0, 0.0]])
    real = torch.tensor([[0.0, 7.0], [3.0, 4.0], [1.0, 0.0], [2.0, 0.0]])
    found = text_distances(predicted, real)
    torch.testing.assert_close(found, torch.tensor([1.0, 0.4, 0.0, 2.0]))


def objective(made: ClipItNetwork, features: list[list[float]], **changes) -> Distillation:
    given = {"weight": 0.5, "softmax": "single", "detach": True, "reference": 1.0} | changes
    settings = tiny.settings(**{"text_branch": BRANCH} | given.pop("settings", {}))
    numbers = np.array(features, dtype=np.float32)
    module = InTraining(made, Teacher(numbers), numbers.shape[1], 3, settings, 1)
    return Distillation(module, **given)


def batch(*positions: int) -> Batch:
    texts = torch.tensor(positions).reshape(-1, 1)
    return Batch(IMAGES.contiguous(), torch.tensor([0, 1]), texts)


def test_the_loss_is_cross_entropy_and_the_weighted_distance_to_the_paired_texts() -> None:
    """Orange predicts (1, -1) for (0, -1), blue (0, 2) for (0, 1): 1 - 1/sqrt 2, and 0."""
    made = network()
    put_all(made)
    loss, scores = objective(made, [[0, 1], [0, -1], [9, 9]])(batch(1, 0))
    scores_of_hand = torch.tensor([[4.0, 1.6], [6.0, -17.5]])
    torch.testing.assert_close(scores, scores_of_hand)
    entropy = (math.log(1 + math.exp(-2.4)) + math.log(1 + math.exp(-23.5)) + 23.5) / 2
    distance = (1 - 1 / math.sqrt(2)) / 2
    assert loss.item() == pytest.approx(entropy + 0.5 * distance, rel=1e-6)


def test_distilling_into_the_image_compares_it_as_it_is_or_through_a_projection() -> None:
    """(1, 0.5, 0) with (0, 1, 0): a projection is there only where the lengths differ."""
    into = {"distil_into": "image_embedding"}
    made = network(text_branch=None, fusion="none")
    same = objective(made, [[0, 1, 0], [0, 0, 1]], settings=into, weight=1.0)
    assert same.module.project is None
    entropy = classification_loss(made(IMAGES), torch.tensor([0, 1]), twice=False)
    loss = same(batch(0, 1))[0]
    cosine = 0.5 / math.sqrt(1.25)
    assert loss.item() - entropy.item() == pytest.approx((1 - cosine) / 2, abs=1e-6)
    shorter = objective(made, [[0, 1], [1, 0]], settings=into)
    put(shorter.module.project, [[1, 0, 0], [0, 2, 1]], [0, 0])
    # Orange (1, 1), blue (0, 1): with (0, 1) and (0, 1).
    loss = shorter(batch(0, 0))[0]
    assert loss.item() - entropy.item() == pytest.approx(0.5 * (1 - 1 / math.sqrt(2)) / 2, abs=1e-6)


def test_what_cannot_be_distilled_into_is_refused() -> None:
    with pytest.raises(PairDxError, match=r"features of texts are 5 numbers.*predicts 2"):
        objective(network(), [[1, 0, 0, 0, 0]])
    with pytest.raises(PairDxError, match="no text branch"):
        objective(network(), [[1, 0]], settings={"text_branch": None})
    with pytest.raises(PairDxError, match="no softmax 'triple'"):
        objective(network(), [[1, 0]], softmax="triple")


def test_the_distillation_loss_reaches_what_predicts_texts_and_nothing_that_classifies() -> None:
    made = network()
    teaching = objective(made, [[0, 1], [1, 0]], weight=1.0)
    seen = made.see(IMAGES)
    real = teaching.module.teacher.features
    text_distances(teaching.module.predicted(seen), real).sum().backward()
    reached = {name for name, each in made.named_parameters() if each.grad is not None}
    assert reached == {"to_text.weight", "to_text.bias"}
    assert not list(teaching.module.teacher.parameters())
    assert not real.requires_grad


def test_words_are_left_out_by_their_share_and_the_others_keep_their_order() -> None:
    text = " ".join(f"word{number}" for number in range(10))
    draws = [without_words(text, 0.3, np.random.default_rng(seed)) for seed in range(20)]
    assert all(len(one.split()) == 7 for one in draws)
    assert all(one.split() == sorted(one.split()) for one in draws)
    assert len(set(draws)) > 10
    assert without_words("alone", 0.9, np.random.default_rng(0)) == "alone"
    assert without_words("", 0.5, np.random.default_rng(0)) == ""
    assert without_words(text, 0.0, np.random.default_rng(0)) == text


@pytest.mark.parametrize("clean", ["lower", "canonicalize"])
def test_words_that_an_encoder_does_not_read_are_not_turned_into_tokens(clean) -> None:
    """What it reads stays the same, also where a tokeniser drops words or mends characters."""
    tokenise = open_clip.SimpleTokenizer(context_length=8, clean=clean)
    starts = ["tumour (3", "&nbsp; &nbsp;", "\u200b \x07", "cafÃ© b", "- -- a/b"]
    some = ["naïve", "&amp;", "cell.", "</b>", "it's", "pT2a", "\u00a0", "\u2019", "-", "grade-3,"]
    words = np.random.default_rng(1).choice(some, 200)
    plain = [f"word{at}," for at in range(9)]
    for text in (" ".join([start, *more, *words]) for start in starts for more in ([], plain)):
        for share in (0.0, 0.4):
            whole, short = (
                without_words(text, share, np.random.default_rng(3), room) for room in (None, 8)
            )
            assert whole.startswith(short)
            assert torch.equal(tokenise(whole), tokenise(short))
    numbers = list(map(str, range(300)))
    short = without_words(" ".join(numbers), 0.3, np.random.default_rng(0), 8)
    assert len(short.split()) == 8
    dashes = without_words(" - ".join(["", *numbers]), 0.0, np.random.default_rng(0), 8)
    assert len(dashes.split()) == 16


def test_an_encoder_in_training_is_given_no_more_words_than_it_can_read(tmp_path) -> None:
    files = tiny.write_bank(tmp_path, *tiny.pairs())
    texts = tiny.build(files).privileged.texts
    teacher = make_teacher(tiny.settings(word_dropout=0.3), texts, files, 1)
    teacher.texts = [" ".join(f"word{number}" for number in range(500)) for _ in teacher.texts]
    given: list[str] = []
    tokenise = teacher.tokenise
    teacher.tokenise = lambda left: given.extend(left) or tokenise(left)
    teacher.train()(torch.tensor([0, 2]))
    assert [len(text.split()) for text in given] == 2 * [tiny.ENCODER["context_length"]]


def test_spread_and_cosine_of_rows_are_those_of_their_directions() -> None:
    """(1, 0), (0, 1), (0, 1): means 1/3, 2/3; both deviations sqrt(2)/3; one pair is alike."""
    spread = Spread()
    spread.add(torch.tensor([[3.0, 0.0], [0.0, 1.0]]))
    spread.add(torch.tensor([[0.0, 2.0]]))
    assert spread.spread == pytest.approx(math.sqrt(2) / 3)
    assert spread.cosine == pytest.approx(1 / 3)
    assert spread_of(torch.tensor([[1.0, 1.0], [2.0, 2.0]])) == pytest.approx(0, abs=1e-8)
    assert Spread().cosine == 1.0
    assert math.isnan(Spread().spread)


def test_features_have_collapsed_below_a_tenth_of_the_spread_of_real_texts() -> None:
    assert is_collapsed(0.0499, 0.5)
    assert "0.0499, below 10% of that of the bank's texts (0.5000)" in str(warning_of(0.0499, 0.5))
    assert not is_collapsed(0.0501, 0.5)
    assert warning_of(0.0501, 0.5) is None


def test_collapse_is_seen_in_a_predictor_that_says_the_same_of_every_image(caplog) -> None:
    """Weights of 0: every image has the same text. With weights that tell images apart: not."""
    made = network()
    made.eval()
    teaching = objective(made, [[0, 1], [1, 0]], reference=0.5)
    teaching.module.eval()

    def observed() -> dict[str, float]:
        teaching.prepare()
        teaching(batch(0, 1))
        return teaching.observed()

    put(made.to_text, [[1, 0, 0], [0, -2, 2]], [0, 0])
    sound = observed()
    # (1, -1) / sqrt 2 and (0, 1).
    deviations = 0.5 / math.sqrt(2), (1 + 1 / math.sqrt(2)) / 2
    assert sound["predicted_text_spread"] == pytest.approx(sum(deviations) / 2)
    assert sound["predicted_text_cosine"] == pytest.approx(-1 / math.sqrt(2))
    assert sound["real_text_spread"] == pytest.approx(0.5)
    assert sound["distillation_loss"] == pytest.approx((1 + 1 / math.sqrt(2) + 1) / 2)
    assert not is_collapsed(sound["predicted_text_spread"], 0.5)
    assert warning_of(sound["predicted_text_spread"], 0.5) is None
    assert "collapse" not in caplog.text
    put(made.to_text, [[0, 0, 0], [0, 0, 0]], [1, 2])
    gone = observed()
    assert gone["predicted_text_spread"] == pytest.approx(0, abs=1e-7)
    assert gone["predicted_text_cosine"] == pytest.approx(1)
    assert "collapse" in caplog.text
    assert "nearly the same" in str(warning_of(gone["predicted_text_spread"], 0.5))
