"""What the datasheet says of every dataset: purpose and uses. Readers say the rest (TEXTS)."""

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
