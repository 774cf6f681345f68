# Systems put to use outside the workflow.
#
# Purpose  one folder per system that classifies new documents with NumPy, Pillow and ONNX Runtime: its network, what belongs
#          to it as data, what was chosen on validation pairs, and a record of how it compares with PyTorch. An export that
#          answers otherwise than the system fails the job.
# Inputs   {split}/{system}/seed{seed}/ (weights, settings, passport.json, predictions.parquet,
#          out_of_distribution.parquet), packed/, {split}/split.parquet, curated/pairs.parquet, the dataset's archives
# Outputs  {split}/{system}/seed{seed}/deployed/; deployed.csv (which systems have one, and why others have none)
# Steps    deploy_system, list_deployed. Nothing else depends on either: benchmarks lie apart from those that are counted.


rule deploy_system:
    input:
        unpack(plan.deployment.files),
        archives=by_contents(plan.stores),
    output:
        folder=directory("<results>/{dataset}/{split}/{system}/seed{seed}/deployed"),
    log:
        "<logs>/{dataset}/{split}/{system}/seed{seed}/deployed.log",
    benchmark:
        "<benchmarks>/deployed/{dataset}/{split}/{system}/seed{seed}.tsv"
    conda:
        "../../../envs/learning.yaml"
    threads: 2
    resources:
        mem_mb=lambda wildcards, attempt: 16000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        code=code_of("deploy_system.py", plan.modules.deploying),
        stated=plan.deployment.stated,
        card=plan.facts.card,
        untrained=plan.untrained,
        classes=plan.labels,
        archives=plan.archives,
        pairs=config["deployment"]["pairs"],
    script:
        "../../scripts/deploy_system.py"


rule list_deployed:
    output:
        table="<results>/deployed.csv",
    log:
        "<logs>/deployed.log",
    benchmark:
        "<benchmarks>/deployed/list.tsv"
    localrule: True
    conda:
        "../../../envs/data.yaml"
    params:
        code=code_of("list_deployed.py"),
        rows=plan.deployment.listed(),
    script:
        "../../scripts/list_deployed.py"
