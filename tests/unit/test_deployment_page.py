"""The page of a deployed system, asked without a browser: answers, refusals, what it never does."""

from __future__ import annotations

import io
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
from flask.testing import FlaskClient
from PIL import Image
from werkzeug.test import TestResponse

from deployed_samples import seal, write_deployed
from pairdx.deployment.folder import DeployedFolder, read_folder
from pairdx.deployment.page import server
from pairdx.deployment.page.application import application
from pairdx.deployment.page.limits import Limits
from pairdx.deployment.page.words import percent
from pairdx.deployment.session import Model, load
from pairdx.errors import PairDxError

BOTH = ("image", "caption")
MARKUP = '"><script>alert(1)</script>'
PAGE = Path(server.__file__).parent
PATHS = ("/", "/results", "/classify")

Open = Callable[..., FlaskClient]


def png(seed: int = 0, side: int = 40) -> bytes:
    """A picture of its own for every seed."""
    colours = np.random.default_rng(seed).integers(0, 256, (1, 1, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(np.tile(colours, (side, side + 5, 1))).save(file, format="PNG")
    return file.getvalue()


def fields(*files: tuple[str, bytes], captions: tuple[str, ...] = ()) -> dict[str, Any]:
    """What a form sends."""
    images = [(io.BytesIO(content), name) for name, content in files]
    return {"image": images} | ({"caption": list(captions)} if captions else {})


def send(
    client: FlaskClient,
    path: str,
    *files: tuple[str, bytes],
    captions: tuple[str, ...] = (),
    **how: Any,
) -> TestResponse:
    return client.post(path, data=fields(*files, captions=captions), **how)


def text_of(answer: TestResponse) -> str:
    """What is read on a page: without tags, in single spaces."""
    return " ".join(re.sub(r"<[^>]*>", " ", answer.text).split())


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    """Open the page of a deployed folder that is written for it."""

    def open_page(
        host: str = "127.0.0.1", limits: Limits | None = None, **folder: Any
    ) -> FlaskClient:
        path = write_deployed(tmp_path / f"deployed_{len([*tmp_path.iterdir()])}", **folder)
        return application(load(path), host, limits).test_client()

    return open_page


# ---------------------------------------------------------------- answers
def test_class_and_probabilities_are_those_of_the_system(opened: Open, tmp_path: Path) -> None:
    client = opened(reads=BOTH, threshold=0.0)
    files, captions = [("a.png", png(1)), ("b.png", png(2))], ("axial ct", "mri of the brain")
    model = load(tmp_path / "deployed_0")
    squares = np.stack([np.asarray(model.read(content)) for _, content in files])
    expected = model.classify(squares, captions)
    labels, names = model.folder.labels, model.folder.names
    answer = send(client, "/classify", *files, captions=captions)
    assert answer.status_code == 200
    assert answer.json is not None
    assert [one["file"] for one in answer.json["results"]] == ["a.png", "b.png"]
    for row, result in zip(expected, answer.json["results"], strict=True):
        assert result["probabilities"] == pytest.approx(dict(zip(labels, row, strict=True)))
        assert result["predicted"] == labels[row.argmax()]
        assert result["probability"] == pytest.approx(row.max())
        assert (result["abstain"], result["problem"]) == (False, "")
        assert (result["width"], result["height"]) == (45, 40)
    assert answer.json["identity"] == model.folder.identity
    shown = send(client, "/", *files, captions=captions).text
    for row in expected:
        heading = f'<h3><bdi>{names[labels[row.argmax()]]}</bdi> <span class="number">'
        assert (
            heading.replace("&", "&amp;").replace("<Y>", "&lt;Y&gt;")
            + percent(row.max()).replace(">", "&gt;")
            in shown
        )
    widths = re.findall(r'class="value" width="([0-9.]+)%"', shown)
    assert sorted(map(float, widths)) == pytest.approx(sorted(100 * expected.ravel()), abs=0.006)


@pytest.mark.parametrize(
    ("threshold", "sentence"),
    [
        (
            0.999999,
            "Below the confidence that kept mistakes at 5 % on validation pairs: leave this",
        ),
        (
            None,
            "No confidence kept mistakes at 5 % on validation pairs: leave this one to a person",
        ),
    ],
)
def test_what_is_left_open_is_said_in_words(
    opened: Open, threshold: float | None, sentence: str
) -> None:
    client = opened(threshold=threshold, temperature=30.0)
    shown = text_of(send(client, "/", ("a.png", png())))
    assert sentence in shown
    assert "Left open" in shown
    assert "Most probable:" in shown
    answer = send(client, "/classify", ("a.png", png())).json
    assert answer is not None
    assert answer["results"][0]["abstain"] is True


def test_findings_are_present_from_their_own_probability_on(opened: Open) -> None:
    client = opened(task="multi_label", thresholds=(0.0, 1.0, None))
    answer = send(client, "/classify", ("a.png", png())).json
    assert answer is not None
    assert answer["results"][0]["predicted"] == ["ct"]
    assert "abstain" not in answer["results"][0]
    shown = send(client, "/", ("a.png", png()))
    assert "<h3><bdi>CT scan</bdi></h3>" in shown.text
    assert "present from 100.0 %" in text_of(shown)
    assert "not decided" in text_of(shown)
    none = opened(task="multi_label", thresholds=(1.0, None, None))
    assert "No finding called present" in text_of(send(none, "/", ("a.png", png())))


def test_a_bad_file_is_a_result_with_its_reason_beside_the_others(opened: Open) -> None:
    client = opened(reads=BOTH)
    files = {
        "good.png": (png(), "ct", ""),
        "film.gif": (b"GIF89a0123456789", "ct", "a GIF file"),
        "office.png": (b"PK\3\4" + bytes(40), "ct", "a zip file"),
        "half.png": (png(side=300)[:-40], "ct", "damaged image"),
        "empty.png": (b"", "ct", "the file is empty"),
        "silent.png": (png(), "  ", "no caption; this system reads captions"),
        "wordless.png": (png(), "...", "no word of the caption is known to this system"),
    }
    contents = [(name, content) for name, (content, _, _) in files.items()]
    captions = tuple(caption for _, caption, _ in files.values())
    answer = send(client, "/classify", *contents, captions=captions)
    assert answer.status_code == 200
    assert answer.json is not None
    for result in answer.json["results"]:
        expected = files[result["file"]][2]
        assert expected in result["problem"], result["file"]
        assert bool(result["probabilities"]) == (not expected)
    shown = text_of(send(client, "/", *contents, captions=captions))
    assert shown.count("Not classified") == 6
    assert "A GIF file; only JPEG" in shown


def test_captions_alone_are_classified_where_no_image_is_read(opened: Open) -> None:
    client = opened(reads=("caption",))
    form = client.get("/").text
    assert 'name="caption"' in form
    assert 'type="file"' not in form
    answer = client.post("/classify", data={"caption": ["axial ct", "", "mri"]}).json
    assert answer is not None
    assert [one["file"] for one in answer["results"]] == ["caption 1", "caption 3"]


def test_shares_read_as_all_or_none_only_where_they_are() -> None:
    shares = {0.0: "0.0 %", 1e-9: "< 0.1 %", 0.25: "25.0 %", 0.99999: "> 99.9 %", 1.0: "100.0 %"}
    assert {share: percent(share) for share in shares} == shares


# ---------------------------------------------------------------- the form
def test_the_form_works_without_javascript(opened: Open) -> None:
    """Fields that were not filled in are sent, empty, and left out."""
    client = opened(reads=BOTH)
    form = re.search(r"<form.*?</form>", client.get("/").text, re.DOTALL)
    assert form is not None
    assert 'method="post" action="/" enctype="multipart/form-data"' in form[0]
    assert form[0].count('name="image"') == form[0].count('name="caption"') == 3
    captions = ("", "axial mri", "")
    shown = text_of(send(client, "/", ("", b""), ("a.png", png()), ("", b""), captions=captions))
    assert shown.count("What the system saw") == 1
    assert "axial mri" in shown
    assert 'name="image" accept="image/*" multiple' in opened().get("/").text
    assert "At most 3 images at once, and 100 MB together." in text_of(client.get("/"))
    assert "At most 20 images at once" in text_of(opened().get("/"))


def test_every_field_and_picture_has_a_name_that_is_read_out(opened: Open) -> None:
    client = opened(reads=BOTH)
    page = client.get("/").text + send(client, "/", ("a.png", png()), captions=("ct",)).text
    assert not re.findall(r"<img(?![^>]*\balt=)", page)
    for field in re.findall(r"<(?:textarea|input)\b[^>]*>", page):
        labelled = re.search(rf"<label[^>]*>[^<]*(<[^>]*>[^<]*)*?{re.escape(field)}", page)
        named = re.search(r'id="(\w+)"', field)
        assert labelled or (named and f'<label for="{named[1]}"' in page), field
    assert '<html lang="en">' in page


def test_nothing_sent_is_said(opened: Open) -> None:
    answer = send(opened(reads=BOTH), "/", ("", b""), captions=("",))
    assert answer.status_code == 400
    assert "There is no image: choose one" in text_of(answer)
    answer = send(opened(reads=BOTH), "/classify", ("a.png", png()), captions=("ct", "mri"))
    assert answer.status_code == 400
    assert answer.json == {"error": "Images: 1, captions: 2. Send one with each image."}


def luminance(colour: str) -> float:
    """Relative luminance of a colour (WCAG 2)."""
    shares = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_every_text_stands_out_from_its_ground(scheme: int) -> None:
    """At least 4.5 to 1, as WCAG asks for text of this size."""
    style = (PAGE / "static/page.css").read_text(encoding="utf-8")
    blocks = re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    assert len(blocks) == 2
    colours = dict(re.findall(r"--([\w-]+): (#\w{6});", blocks[scheme]))
    pairs = [
        (text, ground) for text in ("text", "quiet", "accent") for ground in ("ground", "sheet")
    ]
    pairs += [
        ("open", "sheet"),
        ("text", "open-ground"),
        ("wrong", "sheet"),
        ("wrong", "wrong-ground"),
    ]
    pairs += [("on-accent", "accent"), ("on-alarm", "alarm"), ("text", "track")]
    for text, ground in pairs:
        dark, light = sorted((luminance(colours[text]), luminance(colours[ground])))
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (text, ground)


# ---------------------------------------------------------------- what it never does
def test_texts_from_outside_show_as_they_are(opened: Open, tmp_path: Path) -> None:
    classes = [(MARKUP, f"class {MARKUP}"), ("b", "<b>b</b>"), ("c", "c")]
    client = opened(reads=BOTH, classes=classes, threshold=0.0)
    card = tmp_path / "deployed_0/README.md"
    card.write_text(f"# {MARKUP}\n\n[x](javascript:alert(1)) <img src=x>\n", encoding="utf-8")
    seal(card.parent)
    client = application(load(card.parent), "127.0.0.1").test_client()
    answers = [
        send(client, path, (f"x{MARKUP}.png", png()), captions=(f"ct {MARKUP}",)) for path in PATHS
    ]
    answers += [
        client.get("/card"),
        send(client, "/", ("<b>alert(1)", b"GIF89a"), captions=("ct",)),
    ]
    for answer in answers:
        if answer.is_json:
            continue
        assert "<script>" not in answer.text
        assert "<b>" not in answer.text
        assert "<img src=x" not in answer.text
        assert 'href="javascript' not in answer.text
        assert "alert(1)" in answer.text


@pytest.fixture
def all_answers(opened: Open) -> list[TestResponse]:
    """Answers of every page, good and bad."""
    client = opened(reads=BOTH)
    sent = [send(client, path, ("a.png", png()), captions=("ct",)) for path in PATHS]
    asked = [client.get(path) for path in ("/", "/card", "/nowhere", "/static/page.css")]
    refused = client.get("/", headers={"Host": "elsewhere.example"})
    return [*sent, *asked, refused, client.get("/static/page.js"), client.get("/static/icon.svg")]


def test_every_answer_forbids_what_is_not_of_this_server(all_answers: list[TestResponse]) -> None:
    for answer in all_answers:
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Set-Cookie" not in answer.headers
        assert "Access-Control-Allow-Origin" not in answer.headers


def test_no_page_holds_what_its_policy_forbids(all_answers: list[TestResponse]) -> None:
    """A script, style or handler within a page would silently not work."""
    for answer in all_answers:
        if answer.mimetype == "text/html":
            assert not re.search(r"<script(?![^>]* src=)|<style|\sstyle=|\son[a-z]+=", answer.text)


def test_nothing_names_an_address_outside(all_answers: list[TestResponse]) -> None:
    allowed = ("http://localhost/", "http://www.w3.org/2000/svg")  # its own, and no address
    for answer in all_answers:
        addresses = re.findall(r"(?:\w+:)?//[\w.-]+[^\s\"'<]*", answer.text)
        scripted = answer.mimetype in ("text/javascript", "application/javascript")
        assert scripted or not [one for one in addresses if not one.startswith(allowed)]
        assert not re.search(
            r"https?:|@import|url\((?!data:)",
            answer.text.replace(allowed[0], "").replace(allowed[1], ""),
        )


def test_what_is_sent_is_never_written_to_disk(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Werkzeug puts what is larger than half a megabyte into a temporary file."""
    client = opened(limits=Limits(request_bytes=5_000_000))
    noise = np.random.default_rng(0).integers(0, 256, (700, 700, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, format="PNG")
    assert file.tell() > 1_000_000

    def refuse(*_: object, **__: object) -> NoReturn:
        raise AssertionError("a temporary file")

    body = fields(("a.png", file.getvalue()))
    for name in ("TemporaryFile", "SpooledTemporaryFile", "NamedTemporaryFile", "mkstemp"):
        monkeypatch.setattr(tempfile, name, refuse)
    monkeypatch.setattr("werkzeug.formparser.SpooledTemporaryFile", refuse)
    assert "What the system saw" in text_of(client.post("/", data=body))


# ---------------------------------------------------------------- who may use it
@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """One system for the questions that are not about it."""
    return load(write_deployed(tmp_path_factory.mktemp("one") / "deployed"))


@pytest.mark.parametrize(
    ("served_at", "asked_for", "status"),
    [
        ("127.0.0.1", "127.0.0.1:8000", 200),
        ("127.0.0.1", "localhost:9999", 200),  # through a tunnel
        ("127.0.0.1", "[::1]:8000", 200),
        ("127.0.0.1", "attacker.example:8000", 403),  # a name that was pointed to this machine
        ("127.0.0.1", "localhost.attacker.example", 403),
        ("127.0.0.1", "192.0.2.7:8000", 403),
        ("127.0.0.1", "[broken", 403),
        ("0.0.0.0", "192.0.2.7:8000", 200),  # noqa: S104
        ("0.0.0.0", "attacker.example", 403),  # noqa: S104
        ("node7.cluster", "node7.cluster:8000", 200),
        ("node7.cluster", "attacker.example:8000", 403),
    ],
)
def test_only_names_of_this_machine_are_answered(
    model: Model, served_at: str, asked_for: str, status: int
) -> None:
    client = application(model, served_at).test_client()
    for path in ("/", "/card", "/static/page.css"):
        answer = client.get(path, headers={"Host": asked_for})
        assert answer.status_code == status
        assert status == 200 or "Tiny" not in answer.text
    answer = send(client, "/classify", ("a.png", png()), headers={"Host": asked_for})
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "http://127.0.0.1:8000"}, 200),
        ({"Origin": "http://127.0.0.1:8001"}, 403),  # another server of this machine
        ({"Origin": "https://127.0.0.1:8000"}, 403),
        ({"Origin": "http://attacker.example"}, 403),
        ({"Origin": "null"}, 403),  # a page that hides where it is from
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({}, 200),  # no browser
    ],
)
def test_forms_of_other_pages_are_refused(
    model: Model, headers: dict[str, str], status: int
) -> None:
    client = application(model, "127.0.0.1").test_client()
    for path in PATHS:
        sent = headers | {"Host": "127.0.0.1:8000"}
        answer = send(client, path, ("a.png", png()), headers=sent)
        assert answer.status_code == status
        assert ("sent by another web page" in answer.text) == (status == 403)


# ---------------------------------------------------------------- too much
SMALL = Limits(files=2, file_bytes=2_000, request_bytes=20_000, caption_letters=50)


@pytest.mark.parametrize("path", PATHS)
def test_more_than_the_limits_is_refused_in_words(opened: Open, path: str) -> None:
    client = opened(reads=BOTH, limits=SMALL)
    many = send(client, path, *[("a.png", png())] * 3, captions=("ct",) * 3)
    large = send(client, path, ("a.png", bytes(30_000)), captions=("ct",))
    parts = send(client, path, ("a.png", png()), captions=("ct",) * 30)
    for answer, status in ((many, 400), (large, 413), (parts, 413)):
        assert answer.status_code == status
        assert "This is too much at once. At most 2 images are read" in answer.text


def test_a_file_or_caption_that_is_too_large_costs_the_others_nothing(opened: Open) -> None:
    client = opened(reads=BOTH, limits=SMALL)
    files = [("large.png", png() + bytes(3_000)), ("good.png", png())]
    answer = send(client, "/classify", *files, captions=("ct", "ct")).json
    assert answer is not None
    large, good = answer["results"]
    assert "and at most 0.002 MB are read" in large["problem"]
    assert good["problem"] == ""
    answer = send(client, "/classify", files[1], captions=("ct " * 20,)).json
    assert answer is not None
    assert "the caption has 59 letters, and at most 50 are read" in answer["results"][0]["problem"]


# ---------------------------------------------------------------- what goes wrong
@pytest.mark.parametrize("path", PATHS)
def test_a_network_that_fails_is_said_without_a_path_of_this_machine(
    tmp_path: Path, path: str
) -> None:
    def out_of_memory(_: object) -> NoReturn:
        raise PairDxError("the network failed: no memory", where=tmp_path / "model.onnx")

    folder: DeployedFolder = read_folder(write_deployed(tmp_path / "deployed"))
    client = application(Model(folder, out_of_memory), "127.0.0.1").test_client()
    answer = send(client, path, ("a.png", png()))
    assert answer.status_code == 500
    assert "the network failed: no memory" in answer.text
    assert str(tmp_path) not in answer.text


def test_probabilities_that_are_no_numbers_are_no_answer(tmp_path: Path) -> None:
    folder = read_folder(write_deployed(tmp_path / "deployed"))
    model = Model(folder, lambda _: np.array([[0.2, 0.3, 0.5], [np.nan, 0.5, 0.5]], np.float32))
    client = application(model, "127.0.0.1").test_client()
    answer = send(client, "/classify", ("a.png", png(1)), ("b.png", png(2))).json
    assert answer is not None
    problems = [one["problem"] for one in answer["results"]]
    assert problems == ["", "probabilities that are no numbers"]


def test_a_defect_is_said_and_shows_no_code(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def defect(_: object) -> NoReturn:
        raise ZeroDivisionError("secret")

    folder = read_folder(write_deployed(tmp_path / "deployed"))
    answer = send(
        application(Model(folder, defect), "127.0.0.1").test_client(), "/", ("a.png", png())
    )
    assert answer.status_code == 500
    assert "Something went wrong here" in answer.text
    assert "secret" not in answer.text
    assert "ZeroDivisionError: secret" in caplog.text


def test_a_port_that_is_taken_is_said_in_words(tmp_path: Path) -> None:
    with server._open("127.0.0.1", 0) as taken:
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PairDxError, match="another program has this port") as error:
            server.serve(write_deployed(tmp_path / "deployed"), port=port)
    assert "--port" in str(error.value)


@pytest.mark.parametrize(
    ("host", "port", "said"),
    [("no such name", 0, "cannot be served"), ("127.0.0.1", 99999, "99999 is no port")],
)
def test_an_address_that_cannot_be_is_said_in_words(
    tmp_path: Path, host: str, port: int, said: str
) -> None:
    with pytest.raises(PairDxError, match=said):
        server.serve(write_deployed(tmp_path / "deployed"), host=host, port=port)


def test_a_page_without_its_packages_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "waitress", None)
    with pytest.raises(PairDxError, match="a package that is not installed") as error:
        server.serve(tmp_path)
    assert "make deployment" in str(error.value)


def test_a_folder_that_is_no_deployed_system_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PairDxError, match="there is no deployment"):
        server.serve(tmp_path, port=0)


# ---------------------------------------------------------------- what is said of the system
def test_stand_in_weights_and_the_purpose_are_said_on_every_page(opened: Open) -> None:
    client = opened()
    for path in ("/", "/card"):
        shown = text_of(client.get(path))
        assert "Stand-in weights." in shown
        assert "Not for diagnosis." in shown


def test_the_model_card_is_a_page_that_fetches_nothing(tmp_path: Path) -> None:
    folder = write_deployed(tmp_path / "deployed")
    link, picture = "https://doi.example/10", "https://pictures.example/p.png"
    (folder / "README.md").write_text(
        f"---\nlicense: mit\n---\n# The card\n\n[paper]({link}) ![chart]({picture})\n\n"
        "| a | b |\n|:--|--:|\n| 1 | 2 |\n",
        encoding="utf-8",
    )
    seal(folder)
    page = application(load(folder), "127.0.0.1").test_client().get("/card").text
    assert "<h1>The card</h1>" in page
    assert "license:" not in page
    assert f'<a href="{link}" rel="noopener noreferrer">paper</a> chart' in page
    assert picture not in page
    assert '<td class="right">2</td>' in page
    assert "style=" not in page
    (folder / "README.md").unlink()
    seal(folder)
    bare = application(load(folder), "127.0.0.1").test_client().get("/card")
    assert "This deployed folder has none." in bare.text
