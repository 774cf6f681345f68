# PairDx: which way of adapting vision-language models classifies medical image-caption pairs best, at what cost?
#
# A page of contents. Each rule file opens with its contract; config/README.md explains the choices.
#
# Where things are:
#   resources/...                                    files from outside, shared by all runs
#   results/{run}/curated/                           pairs.parquet, rejected.parquet, funnel.csv
#   results/{run}/review/                            sheet.csv to fill in, and the images that it lists
#   results/{run}/dataset/                           pairdx.zip, croissant.json, datasheet.md: the dataset to hand on
#   results/{run}/packed/                            images.npy (decoded once), word_vectors.safetensors
#   results/{run}/features/{encoder}.safetensors     features of a frozen encoder, for probes
#   results/{run}/{split}/                           split.parquet, leakage.json ({split}: also with_siblings)
#   results/{run}/{split}/{model}/seed{seed}/        weights, training.csv, predictions, metrics, passport
#   results/{run}/{split}/{model}/seed{seed}/prompts.parquet   predictions by prompt, of zero-shot systems
#   results/{run}/{split}/{model}/seed{seed}/out_of_distribution.parquet   how sure it is of known and of unknown classes
#   results/{run}/{split}/{model}/seed{seed}/probes.parquet    predictions under changed input
#   results/{run}/timing/{model}.json                CPU seconds per image
#   results/{run}/tables/{name}.csv, .md, .tex       results/{run}/figures/{name}.svg and .png
#   state/{run}/...                                  training state, until predictions are made
#   results/{run}/cluster_check/{time}/report.md     whether the profile fits the cluster (target cluster_check)
#   logs/{run}/... and benchmarks/{run}/...          mirror results/
from snakemake.utils import min_version

min_version("9.25")


# ---------------------------------------------------------------- configuration
include: "workflow/rules/common.smk"


# Beside this file, wherever Snakemake is started.
configfile: ROOT / "config/config.yaml"
configfile: ROOT / "config/models.yaml"


include: "workflow/rules/configuration.smk"
include: "workflow/rules/places.smk"
include: "workflow/rules/plausibility.smk"
include: "workflow/rules/systems.smk"
include: "workflow/rules/questions.smk"
include: "workflow/rules/items.smk"
include: "workflow/rules/search_space.smk"
include: "workflow/rules/stated.smk"
include: "workflow/rules/cluster_requests.smk"


complete_config()
check_config()
config["models"].update(candidates())


pathvars:
    results=f"results/{config['run']}",
    logs=f"logs/{config['run']}",
    benchmarks=f"benchmarks/{config['run']}",


wildcard_constraints:
    split="|".join([*config["splits"], WITH_SIBLINGS]),
    model="|".join(config["models"]),
    seed=r"\d+",
    archive="|".join(corpus_archives()),


# A workflow that uses this one as a module opens its report with a text of its own.
if workflow.modifier.is_main_snakefile():

    report: "workflow/report/workflow.rst"


# ---------------------------------------------------------------- the default target, and the phases
rule all:
    input:
        table_files(),
        figure_files(),
        "<results>/dataset/datasheet.md",


include: "workflow/rules/targets.smk"
include: "workflow/rules/fetch.smk"
include: "workflow/rules/curate.smk"
include: "workflow/rules/split.smk"
include: "workflow/rules/pack.smk"
include: "workflow/rules/passport.smk"
include: "workflow/rules/features.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/search.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/calibration.smk"
include: "workflow/rules/probes.smk"
include: "workflow/rules/explain.smk"
include: "workflow/rules/texts.smk"
include: "workflow/rules/comparisons.smk"
include: "workflow/rules/time.smk"
include: "workflow/rules/measured_jobs.smk"
include: "workflow/rules/cost.smk"
include: "workflow/rules/paper.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/cluster.smk"
