# A publication's numbers, one by one, and its items by name.
#
# Purpose  every number that the paper's file states beside ours, with a verdict; a target per table and figure of the paper.
# Inputs   tables/comparison.csv, dataset_{dataset}.csv and curated/funnel.csv of the paper's dataset, predictions and passports
#          of the paper's systems on its split, config/papers/{paper}.yaml
# Outputs  table discrepancies

if plan.published.compared:

    rule list_discrepancies:
        input:
            **paper_file(),
            comparison="<results>/tables/comparison.csv",
            datasets=[f"<results>/tables/dataset_{name}.csv" for name in plan.published.compared],
            funnels=[f"<results>/{name}/curated/funnel.csv" for name in plan.published.compared],
            predictions=plan.published.files_of_cells("predictions.parquet"),
            passports=plan.published.files_of_cells("passport.json"),
        output:
            **outputs_of("list_discrepancies"),
        log:
            "<logs>/tables/discrepancies.log",
        benchmark:
            "<benchmarks>/tables/discrepancies.tsv"
        conda:
            "../../../envs/data.yaml"
        resources:
            mem_mb=4000,
            runtime=30,
        params:
            code=code_of("list_discrepancies.py"),
            cells=plan.published.cells,
            registry=plan.shown_having(COMPARISON),
            facts=plan.published.facts,
            resamples=config["evaluation"]["bootstrap_resamples"],
            seed=config["evaluation"]["bootstrap_seed"],
        script:
            "../../scripts/list_discrepancies.py"


# Where nothing is beside a paper, the table's own rule says why (say_why_it_is_left_out).
rule discrepancies:
    """the paper's numbers beside ours"""
    input:
        "<results>/tables/discrepancies.csv",


# One target per item of the paper: paper_table_3, paper_figure_2 ...
for target, item in plan.paper.targets().items() if plan.paper else ():

    rule:
        name:
            target
        input:
            paper_item(item),

    # By `rules`, because whoever uses this as a module may have given its rules other names.
    getattr(rules, target).rule.docstring = f"{item.label} of the paper: {item.title}"


# Without a paper, whoever asks for an item of one is told so.
if plan.paper is None:

    rule say_there_is_no_paper:
        input:
            reason_it_is_left_out,
        output:
            "paper_{table}",
        wildcard_constraints:
            table=r"(table|figure)_\w+",
