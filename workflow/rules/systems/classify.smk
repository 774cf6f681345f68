# New documents, classified by deployed systems: a table in, a table out (config key documents_to_classify).
#
# Purpose  what `python -m pairdx.deployment` does on one machine, on many: each job classifies a shard of the table's rows. A job
#          that was killed goes on from its journal, which lies beside its output and is none of Snakemake's files.
# Inputs   the table; a deployed folder: {split}/{system}/seed{seed}/deployed (deploy.smk), or one from elsewhere. Images are no
#          inputs: what lies in their folder is read when its row is. A row says which file it was of, by its checksum.
# Outputs  classified/{documents}.parquet, .csv or .jsonl: every row of the table, in its order, or the reason why there is no answer
# Steps    classify_shard | join_shards


rule classify_shard:
    input:
        unpack(plan.classifying.files),
    output:
        table="<results>/classified/{documents}/{shard}_of_{shards}.parquet",
    log:
        "<logs>/classified/{documents}/{shard}_of_{shards}.log",
    benchmark:
        "<benchmarks>/classified/{documents}/{shard}_of_{shards}.tsv"
    conda:
        "../../../envs/deployment.yaml"
    threads: 4
    resources:
        mem_mb=8000,
        runtime=lambda wildcards, attempt: 480 * attempt,
    params:
        code=code_of("classify_shard.py"),
        read_as=plan.classifying.read_as,
    script:
        "../../scripts/classify_shard.py"


rule join_shards:
    input:
        shards=plan.classifying.shards,
    output:
        table="<results>/classified/{documents}.{format}",
    log:
        "<logs>/classified/{documents}.{format}.log",
    benchmark:
        "<benchmarks>/classified/{documents}.{format}.tsv"
    wildcard_constraints:
        format="parquet|csv|jsonl",
    conda:
        "../../../envs/deployment.yaml"
    resources:
        mem_mb=4000,
        runtime=120,
    params:
        code=code_of("join_shards.py"),
    script:
        "../../scripts/join_shards.py"
