"""What the datasheet says before a number is counted: purpose, uses, facts of each corpus."""

from __future__ import annotations

MOTIVATION = (
    "The dataset serves to compare ways of adapting vision-language models to medicine: the task "
    "is to say of which class an image is, given the image, its caption, or both. It follows "
    "PairDx (Aljuhani, Dahab, Alsenani; Sensors 2025, 25(24), 7596) and says of every step what "
    "was done."
)
USES = (
    "Fit for comparing systems that tell kinds of medical images apart, and for studying what "
    "images and captions add to each other.",
    "Not fit for diagnosis or any decision about a patient: the classes are kinds of images, not "
    "diseases.",
    "Case reports describe the unusual: frequencies of findings, ages and sexes are not those of "
    "any clinic.",
    "Captions often name the kind of image outright: hold every system that reads them against "
    "one that reads nothing else.",
    "Do not try to find out who a patient is.",
)
SOURCES = {
    "multicare": (
        "MultiCaRe: figures of open-access case reports in PubMed Central, with their captions"
    ),
    "release": "PairDx as its authors published it, made by them from MultiCaRe",
    "demo": "A corpus that the workflow drew, in MultiCaRe's layout",
}
_AGREEMENT = (
    "A system that agrees with the labels agrees with that classifier, which is not always right."
)
LABELS = {
    "multicare": (
        "According to MultiCaRe's authors, class and subtype were predicted from the pixels alone, "
        "by a classifier (an ensemble of ResNet-50 networks); people did not label the images one "
        f"by one. {_AGREEMENT}"
    ),
    "release": (
        "Labels are those of the published PairDx, which was made from MultiCaRe; MultiCaRe's "
        "authors state that a classifier predicted theirs from the pixels alone. "
        f"{_AGREEMENT}"
    ),
    "demo": "The workflow drew each image for its label.",
}
# Labels that are derived from the words of captions, beside those of the images.
CAPTION_LABELS = {
    "multicare": (
        "MultiCaRe also derives labels from the words of some captions, and empties them where "
        "they contradict the predicted ones: agreement below is at best an upper bound."
    ),
    "release": "The published dataset states no labels derived from captions.",
    "demo": "The workflow also wrote labels that agree with the words of the captions.",
}
_OF_EACH = "Each pair keeps the licence of its article; the whole has none of its own."
LICENCES = {
    "multicare": _OF_EACH,
    "release": (
        "The published dataset states one licence for all of its pairs. Those of the articles, "
        "which may restrict more, are not stated in it."
    ),
    "demo": _OF_EACH,
}
PATIENTS = {
    "multicare": "Patients are counted as cases of the source.",
    "release": (
        "The published dataset names no cases: articles are counted, or images where the article "
        "is not known."
    ),
    "demo": "Patients are made up, and counted as cases.",
}
