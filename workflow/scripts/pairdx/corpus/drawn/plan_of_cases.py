"""Plans the demo corpus: articles, their cases, the figures of a case, the panels of a figure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from pairdx.corpus.drawn.captions import caption
from pairdx.corpus.drawn.images import Kind, choose_kind

# Shares of the cases whose main image type is the given one: uneven, as in MultiCaRe, but each
# keeps enough images at a thousand or more in all.
CASE_SHARES = {
    "radiology": 0.25,
    "medical_photograph": 0.195,
    "chart": 0.135,
    "ophthalmic_imaging": 0.125,
    "endoscopy": 0.12,
    "electrography": 0.105,
    "pathology": 0.07,
}
LICENCES = {"CC BY": 0.5, "CC BY-NC": 0.245, "CC BY-NC-SA": 0.245, "CC0": 0.01}
GENDERS = {"Male": 0.478, "Female": 0.455, "Unknown": 0.055, "Transgender": 0.012}
FIGURE_STYLES = ("F{}", "fig{}", "gr{}", "Fig{}", "jcm-demo-g00{}", "cureus-demo-i0{}")
ADULT_AGE = 18


@dataclass
class Article:
    """One open-access article.

    Attributes:
        article_id: PMC and eight digits.
        archive: Name of the archive its images are in: the first four characters of ``article_id``.
        figure_style: How its figure files are named, with ``{}`` for the number.
    """

    article_id: str
    licence: str
    year: int
    figure_style: str
    figures: int = 0

    @property
    def archive(self) -> str:
        """The archive that holds this article's images."""
        return self.article_id[:4]


@dataclass
class Case:
    """One patient of an article; ``age`` is in years, None where the article does not state it."""

    case_id: str
    article: Article
    age: int | None
    gender: str
    image_type: str
    panels: list[Panel] = field(default_factory=list)

    @property
    def person(self) -> str:
        """Who the patient is, in the words of a caption."""
        noun = {"Male": "man", "Female": "woman"}.get(self.gender, "patient")
        if self.age is None or self.age < ADULT_AGE:
            return "the patient"
        age = "a young" if self.age < 35 else "a middle-aged" if self.age < 65 else "an elderly"
        return f"{age} {noun}"


@dataclass
class Panel:
    """One row of ``captions_and_labels.csv``: an undivided figure or one panel of a figure.

    Attributes:
        number: What seeds its drawing; unique in the corpus.
        figure: Name of the figure's file, without suffix.
        component: ``undivided`` or the panel's letter (lower case).
        order: Place of the panel in its figure, from 1.
        total: Number of panels of the figure.
        stated_type: What the column ``image_type`` says instead of what was drawn.
        stated_references: What the column ``case_substring`` holds instead of a list.
    """

    number: int
    case: Case
    kind: Kind
    figure: str
    component: str
    order: int
    total: int
    caption: str
    stated_type: str | None = None
    stated_references: str | None = None

    @property
    def file(self) -> str:
        """The image's file name."""
        letter = self.component if self.component == "undivided" else self.component.upper()
        article_id = self.case.article.article_id
        return f"{article_id}_{self.figure}_{letter}_{self.order}_{self.total}.webp"

    @property
    def member(self) -> str:
        """The path of the image inside its archive."""
        return f"{self.file[:4]}/{self.file[:5]}/{self.file}"


class Plan:
    """The whole corpus before anything is drawn.

    Args:
        seed: Seeds every choice.
        cases: Number of cases.
        archives: Names of the archives that articles are spread over.
    """

    def __init__(self, seed: int, cases: int, archives: Sequence[str]) -> None:
        self.rng = np.random.default_rng([seed, 0])
        self.articles: list[Article] = []
        self.cases: list[Case] = []
        self._numbers = 0
        image_types = self._image_types(cases)
        taken: set[str] = set()
        while image_types:
            article = self._article(archives[len(self.articles) % len(archives)], taken)
            for number in range(1, 3 if self.rng.random() < 0.25 else 2):
                if image_types:
                    self._case(article, number, image_types.pop())
        self.articles.sort(key=lambda article: article.article_id)
        self.cases.sort(key=lambda case: case.case_id)

    def panels(self) -> Iterator[Panel]:
        """Yield every panel, case by case."""
        for case in self.cases:
            yield from case.panels

    def add_figure(
        self, case: Case, image_type: str, panels: int = 1, kind: Kind | None = None
    ) -> list[Panel]:
        """Add a figure of one or more panels that share a caption, and return its panels."""
        case.article.figures += 1
        figure = case.article.figure_style.format(case.article.figures)
        kind = kind or choose_kind(self.rng, image_type)
        text = caption(self.rng, kind, case.person)
        added = []
        for order in range(1, panels + 1):
            component = "undivided" if panels == 1 else "abcd"[order - 1]
            self._numbers += 1
            added.append(Panel(self._numbers, case, kind, figure, component, order, panels, text))
        case.panels += added
        return added

    def _image_types(self, cases: int) -> list[str]:
        """Return the main image type of every case: shares as stated, in random order."""
        bounds = np.cumsum(list(CASE_SHARES.values()))
        places = (np.arange(cases) + 0.5) / cases * bounds[-1]
        names = list(CASE_SHARES)
        chosen = [names[int(np.searchsorted(bounds, place))] for place in places]
        return [chosen[one] for one in self.rng.permutation(cases)]

    def _article(self, archive: str, taken: set[str]) -> Article:
        rng = self.rng
        article_id = f"{archive}{rng.integers(10**6, 10**7)}"
        while article_id in taken:
            article_id = f"{archive}{rng.integers(10**6, 10**7)}"
        taken.add(article_id)
        style = FIGURE_STYLES[rng.integers(len(FIGURE_STYLES))]
        article = Article(article_id, self._pick(LICENCES), int(rng.integers(2002, 2024)), style)
        self.articles.append(article)
        return article

    def _case(self, article: Article, number: int, image_type: str) -> None:
        rng = self.rng
        age = round(float(np.clip(rng.normal(50, 17), ADULT_AGE, 94)))
        case_id = f"{article.article_id}_{number:02d}"
        case = Case(case_id, article, age, self._pick(GENDERS), image_type)
        self.cases.append(case)
        second = image_type if rng.random() < 0.6 else self._pick(CASE_SHARES)
        for _ in range(rng.choice((1, 2, 3, 4), p=(0.25, 0.35, 0.25, 0.15))):
            panels = int(rng.choice((1, 2, 3, 4), p=(0.66, 0.2, 0.1, 0.04)))
            self.add_figure(case, image_type if rng.random() < 0.75 else second, panels)

    def _pick(self, shares: dict[str, float]) -> str:
        weights = np.array(list(shares.values()))
        return list(shares)[int(self.rng.choice(len(shares), p=weights / weights.sum()))]
