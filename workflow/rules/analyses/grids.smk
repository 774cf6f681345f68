# Backbones by ways to adapt them.
#
# Purpose  tables whose rows are backbones and whose columns are ways to adapt them (config key grids), beside the paper's.
# Inputs   {dataset}/{split}/{system}/seed{seed}/predictions.parquet, for grids with `tested_on` also those about other datasets
#          in its folder tested_on/, the paper's file
# Outputs  tables and figures: plan/declared.py declares them

for suffix, _ in shapes("compare_grids"):

    rule:
        name:
            f"compare_grids{suffix}"
        input:
            **paper_file(),
            predictions=plan.grids.predictions,
        output:
            **outputs_of("compare_grids"),
        log:
            "<logs>/tables/grid_{grid}.log",
        benchmark:
            "<benchmarks>/tables/grid_{grid}.tsv"
        wildcard_constraints:
            grid=one_of([*config["grids"]]),
        conda:
            "../../../envs/data.yaml"
        resources:
            mem_mb=8000,
            runtime=60,
        params:
            code=code_of("compare_grids.py", plan.modules.tasks_of_grid),
            cells=plan.grids.cells,
            grid=plan.grids.shown,
            datasets=plan.grids.datasets,
            registry=plan.grids.registry,
            in_paper=plan.published.grid_label,
            paper_cells=plan.published.places,
            papers_keys=plan.published.keys_of_grid,
            resamples=config["evaluation"]["bootstrap_resamples"],
            seed=config["evaluation"]["bootstrap_seed"],
        script:
            "../../scripts/compare_grids.py"
