"""Writes the demo corpus's captions from templates that name the modality, hint at it or do not.

About a third of the captions name what the image is, a third use words that go with it, and the
rest could stand under any figure. So the words of a caption tell a classifier much, but not all.
No caption holds a date, a person's name, a record number, markup or an emoji: the planted troubles
do (:mod:`pairdx.corpus.drawn.troubles`), and only they.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from string import Formatter

import numpy as np

from pairdx.corpus.drawn.images import Kind

SHORTEST, LONGEST = 30, 250
SHARE_NAMING, SHARE_HINTING = 0.34, 0.28


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split("; "))


# Words that fill the fields of the templates below, whatever the image shows.
FIELDS: dict[str, tuple[str, ...]] = {
    "side": _words("left; right"),
    "stage": _words(
        "at presentation; on admission; before treatment; after treatment; before surgery; after "
        "surgery; at discharge; at the last visit; during the second episode; at the first "
        "relapse; on the third day; at follow-up"
    ),
    "span": _words(
        "two weeks; four weeks; six weeks; three months; five months; six months; one year; two "
        "years; ten days; five days; eight weeks; nine months"
    ),
    "therapy": _words(
        "antibiotics; prednisolone; radiotherapy; chemotherapy; surgical excision; rituximab; "
        "topical steroids; anticoagulation; supportive care; immunoglobulins; laser treatment; "
        "drainage; antiviral treatment; dose reduction; methotrexate; observation alone"
    ),
    "mark": _words(
        "arrow; white arrow; arrowhead; asterisk; yellow arrow; circle; black arrow; star; dashed "
        "line; red arrow"
    ),
    "size": _words(
        "small; large; well-defined; ill-defined; irregular; progressive; subtle; extensive; "
        "focal; diffuse; solitary; new; persistent"
    ),
    "finding": _words(
        "mass; lesion; ulcer; swelling; haemorrhage; perforation; oedema; thickening; nodule; "
        "stenosis; fistula; inflammation; necrosis; abscess; infiltrate; atrophy; scar; tumour; "
        "cyst; polyp; discharge; erythema; calcification; deposit"
    ),
    "change": _words(
        "resolution; regression; progression; improvement; worsening; recurrence; partial "
        "response; complete response; no change; stabilisation"
    ),
    "size_words": _words(
        "about one centimetre; two centimetres; about five millimetres; 12 mm; 4 cm; three "
        "centimetres; 18 mm; about half a centimetre"
    ),
}

GENERIC = (
    "Findings in {person} {stage}; the {mark} shows a {size} {finding}.",
    "Follow-up after {span} of {therapy}; {mark} marks the {finding}.",
    "{Change} of the {size} {finding} {span} after {therapy}.",
    "Appearance {stage}, showing a {size} {finding} ({mark}).",
    "The {size} {finding} {stage} (A) and its {change} {span} later (B).",
    "{Size} {finding} of the {side} side in {person} ({mark}), measuring {size_words}.",
    "Course of the case: {change} was noted {span} after {therapy} was started.",
    "Comparison before and after {therapy}; note the {change} of the {finding}.",
    "Case {stage}. The {mark} points to the {finding}; {therapy} was given for {span}.",
    "Result after {span}: {change} of the {finding} following {therapy} in {person}.",
)
TAILS = (
    " The {mark} indicates the {size} {finding}.",
    " There was {change} after {span} of {therapy}.",
    " Written consent was given for publication.",
    " The {side} side was unaffected.",
    " The diagnosis was confirmed later.",
    " Note the {size} {finding} ({mark}).",
)

# Per image type: captions that name it, captions that hint at it, and the fields that both use.
NAMING: dict[str, tuple[str, ...]] = {
    "radiology": (
        "{modality} of the {part} showing a {size} {finding} ({mark}).",
        "{modality} {stage} reveals {sign} in the {part}.",
        "{part} {modality}: {sign}, {change} after {span}.",
    ),
    "medical_photograph": (
        "Clinical photograph of {person} showing {sign} on the {part}.",
        "Photograph of the {part} {stage}: {sign}.",
        "Intraoperative photograph with {sign} ({mark}).",
    ),
    "pathology": (
        "Histopathology of the {part} with {sign} ({modality}).",
        "{modality} stain, high-power field: {sign}.",
        "Biopsy specimen {stage}; {modality} shows {sign}.",
    ),
    "chart": (
        "{modality} of {sign} over {span}.",
        "{modality} showing {sign} {stage}; the {mark} marks the start of {therapy}.",
        "Bar chart comparing {sign} before and after {therapy}.",
    ),
    "ophthalmic_imaging": (
        "{modality} of the {side} eye showing {sign}.",
        "{modality} {stage}: {sign} ({mark}).",
        "{modality} of {person} with {sign} in the {side} eye.",
    ),
    "endoscopy": (
        "{modality} showing {sign} in the {part}.",
        "{modality} {stage}: {sign} ({mark}).",
        "Endoscopic view of the {part} with a {size} {finding}.",
    ),
    "electrography": (
        "{modality} {stage} showing {sign}.",
        "{modality} of {person} with {sign} ({mark}).",
        "{modality} after {span} of {therapy}: {sign}.",
    ),
}
HINTING: dict[str, tuple[str, ...]] = {
    "radiology": (
        "{Sign} in the {part} {stage} ({mark}).",
        "Axial view of the {part} with {sign}.",
        "{Sign}, suggestive of a {size} {finding} of the {part}.",
    ),
    "medical_photograph": (
        "{Sign} on the {part} of {person} {stage}.",
        "{Part}: {sign} ({mark}).",
        "{Sign} on the {part}, healed after {span} of {therapy}.",
    ),
    "pathology": (
        "The {part} shows {sign} ({mark}).",
        "{Sign}, original magnification high.",
        "{Sign} in the resected {finding} of the {part}.",
    ),
    "chart": (
        "Change of {sign} during {span} of {therapy}.",
        "Timeline with {sign} in {person}.",
        "{Sign} by group {stage}; error bars are standard deviations.",
    ),
    "ophthalmic_imaging": (
        "{Sign} in the {side} eye {stage}.",
        "The {side} eye after {therapy}: {sign}.",
        "{Sign} ({mark}), visual acuity was reduced.",
    ),
    "endoscopy": (
        "{Sign} in the {part} {stage}.",
        "A {size} {finding} of the {part} with {sign} ({mark}).",
        "{Sign} found in the {part}; a biopsy was taken.",
    ),
    "electrography": (
        "{Sign} {stage} in {person}.",
        "{Sign}, gone after {span} of {therapy}.",
        "Sinus rhythm with {sign} ({mark}).",
    ),
}
MODALITY: dict[str, tuple[str, ...]] = {
    "ct": _words("Computed tomography; Contrast-enhanced CT; Axial CT; CT scan; CT angiography"),
    "mri": _words("T2-weighted MRI; Magnetic resonance imaging; FLAIR MRI; T1-weighted MRI scan"),
    "x_ray": _words("Radiograph; Plain X-ray; X-ray film; Anteroposterior radiograph"),
    "ultrasound": _words("Ultrasound; Doppler ultrasound; Sonography; Ultrasonographic image"),
    "pet": _words("PET; FDG-PET scan; Positron emission tomography"),
    "scintigraphy": _words("Bone scintigraphy; Scintigraphy"),
    "h&e": _words("Haematoxylin and eosin; H&E"),
    "immunostaining": _words("CD20 immunohistochemistry; Ki-67 immunostaining; Cytokeratin"),
    "fish": _words("Fluorescence in situ hybridisation; Break-apart probe"),
    "giemsa": _words("Giemsa; May-Grünwald-Giemsa"),
    "chart": _words(
        "Kaplan-Meier curve; Graph; Bar graph; Chart; Flow diagram; Line graph; Forest plot"
    ),
    "fundus_photograph": _words(
        "Colour fundus photograph; Fundus photography; Ultra-widefield fundus image"
    ),
    "oct": _words("Optical coherence tomography; Macular OCT; OCT B-scan; Spectral-domain OCT"),
    "slit_lamp_photograph": _words("Slit-lamp photograph; Anterior segment image; Slit-lamp view"),
    "ophthalmic_angiography": _words("Fluorescein angiography; Indocyanine green angiography"),
    "autofluorescence": _words("Fundus autofluorescence; Autofluorescence image"),
    "gi_endoscopy": _words("Colonoscopy; Gastroscopy; Upper gastrointestinal endoscopy"),
    "airway_endoscopy": _words("Bronchoscopy; Laryngoscopy; Fibreoptic bronchoscopy"),
    "arthroscopy": _words("Arthroscopy; Arthroscopic view"),
    "other_endoscopy": _words("Cystoscopy; Hysteroscopy; Laparoscopic view"),
    "ekg": _words("Electrocardiogram; Twelve-lead ECG; ECG; Holter recording"),
    "eeg": _words("Electroencephalogram; EEG; Video-EEG"),
    "emg": _words("Electromyography; Needle EMG; Nerve conduction study"),
}
SIGN: dict[str, tuple[str, ...]] = {
    "radiology": _words(
        "ring enhancement; consolidation; pleural effusion; a hypodense area; midline shift; a "
        "fracture line; dilated ducts; lymphadenopathy; a filling defect; free air; an enhancing "
        "rim; increased uptake; signal hyperintensity; a soft tissue shadow"
    ),
    "medical_photograph": _words(
        "erythematous plaques; a crusted ulcer; bullae; purpura; a pigmented macule; swelling and "
        "redness; a necrotic eschar; vesicles; hyperkeratosis; the resected specimen; gangrene; a "
        "healed scar; white plaques"
    ),
    "pathology": _words(
        "atypical cells; granulomas; spindle cells; lymphocytic infiltration; necrosis; nuclear "
        "pleomorphism; mitotic figures; strong nuclear staining; fibrosis"
    ),
    "chart": _words(
        "C-reactive protein; platelet counts; overall survival; creatinine; serum titres; body "
        "temperature; haemoglobin; the clinical score; tumour marker levels; drug levels; the "
        "number of cases; white cell counts; bilirubin and liver enzymes"
    ),
    "ophthalmic_imaging": _words(
        "macular oedema; optic disc swelling; retinal haemorrhages; cotton wool spots; subretinal "
        "fluid; corneal opacity; vessel leakage; drusen; retinal detachment; conjunctival "
        "injection; a choroidal lesion; hard exudates"
    ),
    "endoscopy": _words(
        "mucosal erythema; an ulcerated polyp; active bleeding; luminal narrowing; varices; a "
        "submucosal bulge; whitish plaques; friable mucosa; a foreign body; erosions; a "
        "vegetating growth; oedematous folds"
    ),
    "electrography": _words(
        "ST-segment elevation; atrial fibrillation; T-wave inversion; a prolonged QT interval; "
        "bundle branch block; spike-and-wave discharges; generalised slowing; ectopic beats; "
        "fibrillation potentials; ventricular tachycardia; PR depression"
    ),
}
PART: dict[str, tuple[str, ...]] = {
    "thorax": _words("chest; thorax; mediastinum; lungs"),
    "abdomen": _words("abdomen; liver; upper abdomen; pancreas"),
    "head": _words("brain; head; temporal lobe; cerebellum"),
    "neck": _words("cervical spine; neck; spinal cord"),
    "lower_limb": _words("knee; foot; leg; ankle"),
    "upper_limb": _words("forearm; wrist; hand; elbow"),
    "whole_body": _words("whole body; skeleton; trunk"),
    "medical_photograph": _words(
        "forearm; face; lower leg; hand; abdomen; tongue; back; neck; foot"
    ),
    "pathology": _words("skin; liver; lymph node; colon; kidney; lung"),
    "gi_endoscopy": _words("stomach; colon; duodenum; oesophagus; rectum; gastric antrum"),
    "airway_endoscopy": _words("left main bronchus; larynx; trachea; right upper lobe"),
    "arthroscopy": _words("knee joint; shoulder joint; ankle joint"),
    "other_endoscopy": _words("bladder; uterine cavity; peritoneal cavity"),
}


def caption(rng: np.random.Generator, kind: Kind, person: str) -> str:
    """Write a caption of 30 to 250 characters for an image of the given kind, of this person."""
    while True:
        text = fill(rng, _template(rng, kind.image_type), kind, person)
        tails = rng.permutation(len(TAILS))[: rng.choice(3, p=(0.5, 0.38, 0.12))]
        for tail in tails:
            text += fill(rng, TAILS[tail], kind, person)
        if SHORTEST <= len(text) <= LONGEST:
            return text


def _template(rng: np.random.Generator, image_type: str) -> str:
    draw = rng.random()
    if draw < SHARE_NAMING:
        return _one_of(rng, NAMING[image_type])
    if draw < SHARE_NAMING + SHARE_HINTING:
        return _one_of(rng, HINTING[image_type])
    return _one_of(rng, GENERIC)


def fill(rng: np.random.Generator, template: str, kind: Kind, person: str) -> str:
    """Fill a template's fields; a field with a capital letter starts its words with one.

    Args:
        rng: Source of the choices.
        template: Text with named fields in braces.
        kind: What the image shows.
        person: Who the patient is, such as "an elderly woman".
    """
    place = kind.region or (kind.image_subtype if kind.image_subtype in PART else kind.image_type)
    choices = {
        "modality": MODALITY.get(kind.image_subtype, ("Photograph",)),
        "sign": SIGN[kind.image_type],
        "part": PART.get(place, ("organ",)),
        "person": (person, person, "the patient", "the index patient"),
    }
    text = template
    for _, field, _, _ in Formatter().parse(template):
        if field is None:
            continue
        words = _one_of(rng, choices.get(field.lower()) or FIELDS[field.lower()])
        if field[0].isupper():
            words = words[0].upper() + words[1:]
        text = text.replace("{" + field + "}", words, 1)
    text = re.sub(r"\b([Aa]) (?=[aeiou])", r"\1n ", text)
    return text[0].upper() + text[1:]


def _one_of(rng: np.random.Generator, choices: Sequence[str]) -> str:
    return choices[int(rng.integers(len(choices)))]
