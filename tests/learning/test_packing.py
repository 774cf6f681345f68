"""Packed images equal CLIP's own preprocessing; words follow the paper's rules."""

from __future__ import annotations

import hashlib
import io
import tracemalloc
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import open_clip
import pandas as pd
import pytest
from PIL import Image

from pairdx import word_vectors, words
from pairdx.errors import PairDxError
from pairdx.images import apply_edit
from pairdx.models.inputs import read_subset
from pairdx.packed_images import open_packed, packed_file
from pairdx.packing import pack_images
from pairdx.seals import append_seal
from pairdx.squaring import PAD_COLOUR, fit_to_square
from picture_files import FORMATS, turned, upright


def picture(width: int, height: int, seed: int = 0) -> Image.Image:
    noise = np.random.default_rng(seed).integers(0, 255, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(noise)


@pytest.mark.parametrize("shape", [(420, 300), (300, 420), (224, 224), (100, 80), (640, 97)])
@pytest.mark.parametrize(
    ("squaring", "name"), [("crop", "shortest"), ("squash", "squash"), ("pad", "longest")]
)
def test_packing_plus_normalisation_is_open_clips_preprocessing_of_that_name(
    shape: tuple[int, int], squaring: str, name: str
) -> None:
    """CLIP's own is the first."""
    image = picture(*shape)
    transform = open_clip.image_transform(
        224, is_train=False, resize_mode=name, fill_color=PAD_COLOUR
    )
    mean = np.array(open_clip.OPENAI_DATASET_MEAN, dtype=np.float32)
    deviation = np.array(open_clip.OPENAI_DATASET_STD, dtype=np.float32)
    ours = (fit_to_square(image, 224, squaring) / np.float32(255) - mean) / deviation
    np.testing.assert_allclose(ours.transpose(2, 0, 1), transform(image).numpy(), atol=1e-5)


@pytest.mark.parametrize("shape", [(400, 100), (100, 400)])
def test_only_the_crop_loses_the_ends_of_a_wide_recording(shape: tuple[int, int]) -> None:
    image = Image.new("RGB", shape, (0, 0, 255))
    ends = 40 if shape[0] > shape[1] else shape[0], 40 if shape[1] > shape[0] else shape[1]
    image.paste((255, 0, 0), (0, 0, *ends))
    image.paste((255, 0, 0), (shape[0] - ends[0], shape[1] - ends[1], *shape))
    red = {
        squaring: (fit_to_square(image, 80, squaring)[..., 0] > 200).mean()
        for squaring in ("crop", "squash", "pad")
    }
    assert red["crop"] == 0
    assert red["squash"] == pytest.approx(0.2, abs=0.03)
    assert red["pad"] == pytest.approx(0.05, abs=0.02)


def test_an_image_that_was_changed_since_curation_is_refused_by_name(tmp_path: Path) -> None:
    """Also where its size and the time stamps of folders tell nothing."""
    for seed, name in enumerate(("a.bmp", "b.bmp")):
        picture(20, 20, seed).save(tmp_path / name)
    pairs = pd.DataFrame({"archive": "images", "member": ["a.bmp", "b.bmp"], "image_edit": ""})
    pairs["pair_id"] = pairs["member"]
    pairs["sha256"] = [
        hashlib.sha256((tmp_path / name).read_bytes()).hexdigest() for name in pairs["member"]
    ]
    archives, path = {"images": tmp_path}, tmp_path / "images.npy"
    pack_images(pairs, archives, path, size=20)
    picture(20, 20, 2).save(tmp_path / "b.bmp")
    with pytest.raises(PairDxError, match=r"changed since[\s\S]*b\.bmp[\s\S]*inspect_archive"):
        pack_images(pairs, archives, path, size=20)


def test_images_are_found_by_their_pairs_in_any_order(tmp_path: Path) -> None:
    members = {"PMC1": ["x", "y"], "PMC2": ["z"]}
    images = {name: picture(20, 20, seed) for seed, name in enumerate("xyz")}
    archives = {}
    for archive, names in members.items():
        archives[archive] = tmp_path / f"{archive}.zip"
        with ZipFile(archives[archive], "w") as file:
            for name in names:
                stream = io.BytesIO()
                images[name].save(stream, "PNG")
                file.writestr(name, stream.getvalue())
    pairs = pd.DataFrame({"archive": ["PMC2", "PMC1", "PMC1"], "member": ["z", "y", "x"]})
    pairs = pairs.assign(pair_id=["of z", "of y", "of x"], image_edit="")
    pack_images(pairs, archives, tmp_path / "images.npy", size=20, squaring="crop")
    packed = open_packed(tmp_path / "images.npy")
    assert (packed.size, len(packed), packed.pair_ids) == (20, 3, ("of z", "of y", "of x"))
    for order in ("xyz", "yzx", "zx", ""):
        found = packed.of_pairs([f"of {name}" for name in order])
        assert found.shape == (len(order), 20, 20, 3)
        assert found[:].dtype == np.uint8
        for square, name in zip(found[:], order, strict=True):
            np.testing.assert_array_equal(square, np.asarray(images[name]))
    np.testing.assert_array_equal(np.load(tmp_path / "images.npy")[1], np.asarray(images["y"]))


def test_a_failed_packing_leaves_nothing_behind(tmp_path: Path) -> None:
    with ZipFile(tmp_path / "PMC1.zip", "w") as file:
        file.writestr("x", b"no image")
    archives = {"PMC1": tmp_path / "PMC1.zip"}
    for member in ("x", "absent"):
        pair = {"pair_id": "a", "archive": "PMC1", "member": member, "image_edit": ""}
        pairs = pd.DataFrame([pair])
        with pytest.raises(PairDxError, match=rf"PMC1\.zip: {member}"):
            pack_images(pairs, archives, tmp_path / "images.npy", size=8)
    assert [path.name for path in tmp_path.iterdir()] == ["PMC1.zip"]


def test_edited_images_are_packed_edited_from_a_folder_too(tmp_path: Path) -> None:
    raw = picture(30, 20)
    raw.save(tmp_path / "x.png")
    edits = ["", "crop 8 4 18 14; mask 9 5 12 8"]
    pairs = pd.DataFrame({"archive": "release", "member": "x.png", "image_edit": edits})
    pairs["pair_id"] = ["whole", "edited"]
    pairs.index = pd.Index([7, 3])  # rows are counted, whatever their index says
    pack_images(pairs, {"release": tmp_path}, tmp_path / "images.npy", size=10)
    packed = np.load(tmp_path / "images.npy")
    expected = np.array(raw)[4:14, 8:18]
    expected[1:4, 1:4] = 128
    np.testing.assert_array_equal(packed[1], expected)
    np.testing.assert_array_equal(packed[0], fit_to_square(raw, 10))


@pytest.mark.parametrize("squaring", ["crop", "squash", "pad"])
def test_what_is_packed_is_what_a_viewer_shows_squared_as_chosen(
    tmp_path: Path, squaring: str
) -> None:
    for kind in FORMATS:
        (tmp_path / kind).write_bytes(turned(kind, 6))
    pairs = pd.DataFrame({"archive": "A", "member": list(FORMATS), "image_edit": "mask 0 0 24 40"})
    pairs["pair_id"] = pairs["member"]
    pack_images(pairs, {"A": tmp_path}, tmp_path / "images.npy", size=48, squaring=squaring)
    expected = fit_to_square(apply_edit(upright(), "mask 0 0 24 40"), 48, squaring).astype(int)
    for square in np.load(tmp_path / "images.npy"):
        assert np.abs(square - expected).max() < 8


def test_an_edit_that_does_not_fit_its_image_names_the_image(tmp_path: Path) -> None:
    picture(30, 20).save(tmp_path / "x.png")
    pair = {"pair_id": "a", "archive": "A", "member": "x.png", "image_edit": "crop 0 0 31 9"}
    pairs = pd.DataFrame([pair])
    with pytest.raises(PairDxError, match=r"30 x 20[\s\S]*x\.png[\s\S]*review"):
        pack_images(pairs, {"A": tmp_path}, tmp_path / "images.npy", size=8)
    assert [path.name for path in tmp_path.iterdir()] == ["x.png"]


def write_numbered(path: Path, pair_ids: list[str], size: int = 4) -> None:
    """Pack an image of one number for every pair: its row."""
    with packed_file(path, pair_ids, size) as pixels:
        pixels[:] = np.arange(len(pair_ids))[:, None, None, None]


def test_a_pair_that_is_not_packed_is_refused_with_the_file_at_hand(tmp_path: Path) -> None:
    path = tmp_path / "packed" / "images_4.npy"
    write_numbered(path, ["a", "β", "c\nd"])
    packed = open_packed(path)
    assert packed.of_pairs(["c\nd", "β"])[:][:, 0, 0, 0].tolist() == [2, 1]
    with pytest.raises(PairDxError, match=r"2 of 3 pairs[\s\S]*'x'") as caught:
        packed.of_pairs(["a", "x", "y"])
    assert caught.value.where == path
    assert caught.value.remedy == "delete packed/images_4.npy of the dataset; it is made again"


def test_two_pairs_of_one_name_are_not_packed(tmp_path: Path) -> None:
    with pytest.raises(PairDxError, match="2 pairs are called 'a'"):
        write_numbered(tmp_path / "images_4.npy", ["a", "b", "a"])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("sealed", [True, False])
@pytest.mark.parametrize("checked", [True, False])
def test_files_that_do_not_name_their_pairs_are_refused_in_words(
    tmp_path: Path, sealed: bool, checked: bool
) -> None:
    path = tmp_path / "images.npy"
    np.save(path, np.zeros((2, 4, 4, 3), dtype=np.uint8))
    if sealed:
        append_seal(path)
    with pytest.raises(PairDxError, match=r"earlier format[\s\S]*delete .*images\.npy of the data"):
        open_packed(path, checked=checked)


def test_sizes_stand_beside_each_other(tmp_path: Path) -> None:
    for size in (4, 8):
        write_numbered(tmp_path / f"images_{size}.npy", ["a", "b"], size)
    opened = [open_packed(tmp_path / f"images_{size}.npy").of_pairs(["b"])[:] for size in (4, 8)]
    assert [images.shape for images in opened] == [(1, 4, 4, 3), (1, 8, 8, 3)]


def test_damage_is_seen_by_whoever_checks_all_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "images_4.npy"
    write_numbered(path, ["a", "b"])
    content = bytearray(path.read_bytes())
    content[140] ^= 1
    path.write_bytes(content)
    with pytest.raises(PairDxError, match="is damaged"):
        open_packed(path)
    assert len(open_packed(path, checked=False)) == 2


def test_a_subset_is_read_without_its_images_in_memory(tmp_path: Path) -> None:
    """Of 60 MB, a quarter of which is looked at, five images of 0.75 MB at a time."""
    names = [str(number) for number in range(400)]
    table = pd.DataFrame({"pair_id": names, "case_id": names, "caption": "", "label": "chart"})
    table.sample(frac=1, random_state=1).to_parquet(tmp_path / "pairs.parquet")
    subsets = ["train", "validation", "test", "test"] * 100
    split = pd.DataFrame({"pair_id": names, "subset": subsets}).sample(frac=1, random_state=2)
    split.to_parquet(tmp_path / "split.parquet")
    with packed_file(tmp_path / "images_224.npy", names, 224) as pixels:
        pixels[:, 0, 0, 0] = np.arange(400) % 256
    made = ("pairs.parquet", "split.parquet", "images_224.npy")
    files = [tmp_path / name for name in made]
    read_subset(*files, ("chart",), "train")  # what it imports would be counted, and is no image
    tracemalloc.start()
    try:
        test = read_subset(*files, ("chart",), "test")
        some = test.at(np.arange(50, 150))
        corners: list[int] = []
        for start in range(0, 100, 5):
            corners += some.images[start : start + 5][:, 0, 0, 0].tolist()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(test) == 200
    assert corners == [int(name) % 256 for name in some.table["pair_id"]]
    assert peak < 5e6
    with pytest.raises(TypeError, match="by rows"):
        np.asarray(test.images)


def test_words_follow_the_papers_rules() -> None:
    caption = "Axial CT (arrow), don't; 1.5-T x-ray: 'mass' — β-hCG!"
    expected = ["axial", "ct", "arrow", "don't", "1.5-t", "x-ray", "mass", "β-hcg"]
    assert words.tokenise(caption) == expected


def test_word_numbers_are_padded_truncated_and_marked_unknown() -> None:
    numbers = words.word_numbers(["ct", "mass"])
    ids = words.word_ids(["ct mass of the lung", "", "unknown ct"], numbers, tokens=3)
    assert ids.tolist() == [[2, 3, 1], [0, 0, 0], [1, 2, 0]]


def test_glove_files_are_read_for_the_words_in_use(tmp_path: Path) -> None:
    path = tmp_path / "glove.txt"
    path.write_text("the 0.1 0.2 0.3\nct 1 2 3\n, 4 5 6\n", encoding="utf-8")
    found, matrix = word_vectors.read_word_vectors(path, ["ct", "absent", "the"], dimension=3)
    assert found == ["ct", "the"]
    np.testing.assert_allclose(matrix, [[0, 0, 0], [0, 0, 0], [1, 2, 3], [0.1, 0.2, 0.3]])


@pytest.mark.parametrize("content", ["", "ct 1 2\nthe 1 2 3\n", "ct one two three\n"])
def test_files_that_are_not_glove_are_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "glove.txt"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(PairDxError, match=r"glove\.txt"):
        word_vectors.read_word_vectors(path, ["ct"], dimension=3)


def test_vectors_of_another_dimension_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "glove.txt"
    path.write_text("ct 1 2 3\n", encoding="utf-8")
    with pytest.raises(PairDxError, match=r"word_vectors\.dimension"):
        word_vectors.read_word_vectors(path, ["ct"], dimension=300)


def test_the_out_of_vocabulary_rate_counts_occurrences() -> None:
    counts = words.word_counts(["ct ct mass", "rare ct"])
    assert counts.to_dict() == {"ct": 3, "mass": 1, "rare": 1}
    assert words.out_of_vocabulary_rate(counts, ["ct", "mass"]) == pytest.approx(0.2)
