# PairDx: which way of adapting vision-language models to medical images and texts works best, at what cost?
#
# A page of contents. Each rule file opens with its contract; docs/architecture.md shows the house, config/README.md explains
# the choices.
#
# Where things are:
#   resources/...                                      files from outside, shared by all runs
#   results/{run}/config.yaml                          the configuration as it was used: defaults and overlays merged
#   results/{run}/{dataset}/curated/                   pairs.parquet, rejected.parquet, funnel.csv
#   results/{run}/{dataset}/check/                     check.md, .html and .txt: what to know before anything trains
#   results/{run}/{dataset}/review/                    sheet.csv to fill in, and the images that it lists
#   results/{run}/{dataset}/archive/                   {dataset}.zip, croissant.json, datasheet.md: the dataset to hand on
#   results/{run}/{dataset}/packed/                    images_{size}.npy (decoded once), word_vectors.safetensors
#   results/{run}/{dataset}/features/{encoder}.safetensors   features of a frozen encoder, for linear probes
#   results/{run}/{dataset}/text_banks/{bank}/         texts that images are paired with, and their features
#   results/{run}/{dataset}/timing/{system}.json       CPU seconds per image
#   results/{run}/{dataset}/inference_cost.json        the same of networks with and without texts, measured in turns
#   results/{run}/{dataset}/{split}/                   split.parquet, leakage.json ({split}: also with_siblings)
#   results/{run}/{dataset}/{split}/pairings/{pairing}/    which text goes to which image; the text classifier
#   results/{run}/{dataset}/{split}/{system}/seed{seed}/   weights, training.csv, predictions, metrics, passport; also
#                        prompts.parquet              predictions by prompt, of zero-shot systems
#                        out_of_distribution.parquet  how sure it is of known and of other classes
#                        input_probes.parquet         predictions under changed input
#                        tested_on/{other}/           predictions for the test pairs of another dataset
#                        deployed/                    the system to classify new documents with, outside the workflow
#   results/{run}/deployed.csv                         which systems have such a folder, and why others have none
#   results/{run}/classified/{documents}.parquet       new documents, classified by a deployed system
#   results/{run}/tables/{name}.csv, .md, .tex         results/{run}/figures/{name}.svg and .png; what concerns one dataset
#                                                      carries its name
#   state/{run}/...                                    training state, until predictions are made
#   results/{run}/cluster_check/{time}/report.md       whether the profile fits the cluster (target cluster_check)
#   logs/{run}/... and benchmarks/{run}/...            mirror results/
from snakemake.utils import min_version

min_version("9.25")


# ---------------------------------------------------------------- configuration
# Completed by the files of config/datasets, config/systems and config/downloads.yaml, checked, and turned into `plan`.
include: "workflow/rules/common.smk"


pathvars:
    results=f"results/{config['run']}",
    logs=f"logs/{config['run']}",
    benchmarks=f"benchmarks/{config['run']}",


wildcard_constraints:
    dataset=one_of([*plan.datasets]),
    split=one_of(plan.split_names),
    system=one_of([*plan.systems]),
    seed=r"\d+",
    size=r"\d+",
    archive=one_of(plan.archive_names),
    encoder=one_of([*config["feature_extractors"]]),
    bank=one_of([*config["text_banks"]]),
    pairing=one_of([*config["pairings"]]),
    documents=one_of([*config["documents_to_classify"]]),
    shard=r"\d+",
    shards=r"\d+",


# A workflow that uses this one as a module opens its report with a text of its own.
if workflow.modifier.is_main_snakefile():

    report: "workflow/report/workflow.rst"


# ---------------------------------------------------------------- the default target, and the phases
rule all:
    """every table and figure, the datasheets and the checks"""
    input:
        outputs.files(world, "table"),
        outputs.files(world, "figure"),
        outputs.files(world, "page"),
        "<results>/config.yaml",


include: "workflow/rules/site/targets.smk"
include: "workflow/rules/data/fetch.smk"
include: "workflow/rules/data/curate.smk"
include: "workflow/rules/data/split.smk"
include: "workflow/rules/data/check.smk"
include: "workflow/rules/data/pack.smk"
include: "workflow/rules/data/archive.smk"
include: "workflow/rules/data/describe.smk"
include: "workflow/rules/systems/features.smk"
include: "workflow/rules/systems/pairing.smk"
include: "workflow/rules/systems/train.smk"
include: "workflow/rules/systems/search.smk"
include: "workflow/rules/systems/evaluate.smk"
include: "workflow/rules/systems/explain.smk"
include: "workflow/rules/systems/time.smk"
include: "workflow/rules/systems/deploy.smk"
include: "workflow/rules/systems/classify.smk"
include: "workflow/rules/analyses/comparisons.smk"
include: "workflow/rules/analyses/confidence.smk"
include: "workflow/rules/analyses/input_probes.smk"
include: "workflow/rules/analyses/tested_on.smk"
include: "workflow/rules/analyses/findings.smk"
include: "workflow/rules/analyses/privileged.smk"
include: "workflow/rules/analyses/grids.smk"
include: "workflow/rules/analyses/cost.smk"
include: "workflow/rules/papers/paper.smk"
include: "workflow/rules/site/record.smk"
include: "workflow/rules/site/cluster.smk"
