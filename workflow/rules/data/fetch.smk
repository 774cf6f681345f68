# Files from outside, and the drawn stand-in for them.
#
# Purpose  everything that later rules read and that this workflow does not compute; shared by all runs.
# Inputs   none (the network), or a seed
# Outputs  resources/multicare/{record}/, resources/pcam/{record}/, resources/crc/{record}/, resources/weights/{name}/,
#          resources/glove/, resources/drawn/...
# Notes    Downloads are local rules, because compute nodes often have no internet. They resume from a `.part` file that
#          is no declared output, since Snakemake deletes the outputs of a failed job. A file that config names by `path`
#          is used as it is, and its rule never runs. Addresses and checksums are read from config by the scripts and are
#          no params: pinning a checksum does not download a verified file again. What is unpacked is made once for all runs,
#          so that it has no benchmark, which belongs to a run, and does not depend on code.


rule draw_corpus:
    output:
        captions="<resources>/drawn/{drawing}/captions_and_labels.csv",
        cases="<resources>/drawn/{drawing}/cases.parquet",
        metadata="<resources>/drawn/{drawing}/metadata.parquet",
        archives=expand("<resources>/drawn/{{drawing}}/{archive}.zip", archive=plan.drawn_archives),
        manifest="<resources>/drawn/{drawing}/manifest.json",
    log:
        "<logs>/resources/drawn/{drawing}.log",
    benchmark:
        "<benchmarks>/resources/drawn/{drawing}.tsv"
    wildcard_constraints:
        drawing=r"seed\d+_cases\d+",
    conda:
        "../../../envs/data.yaml"
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        code=code_of("draw_corpus.py"),
        seed=lambda wildcards: int(re.search(r"seed(\d+)", wildcards.drawing)[1]),
        cases=lambda wildcards: int(re.search(r"cases(\d+)", wildcards.drawing)[1]),
        archives=plan.drawn_archives,
    script:
        "../../scripts/draw_corpus.py"


rule download_record:
    output:
        ensure("<resources>/{section}/{record}/{file}", non_empty=True),
    log:
        "<logs>/resources/{section}/{record}/{file}.log",
    wildcard_constraints:
        section="multicare|pcam|crc",
        record=r"\d+",
        file=r"[\w-]+\.(csv|parquet|zip|h5\.gz)",
    retries: 2
    localrule: True
    conda:
        "../../../envs/data.yaml"
    script:
        "../../scripts/download_record.py"


rule unpack_pcam:
    input:
        gzipped=lambda wildcards: plan.outside.gzipped(
            f"<resources>/pcam/{wildcards.folder}/{wildcards.file}.h5"
        ),
    output:
        images=ensure("<resources>/pcam/{folder}/{file}.h5", non_empty=True),
    log:
        "<logs>/resources/pcam/{folder}/{file}.log",
    wildcard_constraints:
        folder=r"\d+|of_[0-9a-f]{12}",
        file=r"\w+",
    conda:
        "../../../envs/data.yaml"
    resources:
        mem_mb=1000,
        runtime=60,
    script:
        "../../scripts/unpack_pcam.py"


rule download_release:
    output:
        manifest="<resources>/pairdx_release/{record}/manifest.json",
    log:
        "<logs>/resources/pairdx_release/{record}.log",
    retries: 2
    localrule: True
    conda:
        "../../../envs/data.yaml"
    script:
        "../../scripts/download_release.py"


rule download_weights:
    output:
        ensure("<resources>/weights/{name}/{file}", non_empty=True),
    log:
        "<logs>/resources/weights/{name}/{file}.log",
    wildcard_constraints:
        name=one_of(plan.outside.weights_by("url")),
    retries: 2
    localrule: True
    conda:
        "../../../envs/data.yaml"
    params:
        key="weights/{name}",
    script:
        "../../scripts/download_url.py"


rule download_hub_weights:
    output:
        ensure("<resources>/weights/{name}/{file}", non_empty=True),
    log:
        "<logs>/resources/weights/{name}/{file}.log",
    wildcard_constraints:
        name=one_of(plan.outside.weights_by("repo")),
    retries: 2
    localrule: True
    conda:
        "../../../envs/data.yaml"
    params:
        source=plan.outside.hub_source,
    script:
        "../../scripts/download_hub_file.py"


rule download_glove:
    output:
        archive=ensure("<resources>/glove/glove.zip", non_empty=True),
    log:
        "<logs>/resources/glove/download_glove.log",
    retries: 2
    localrule: True
    conda:
        "../../../envs/data.yaml"
    params:
        key="glove",
    script:
        "../../scripts/download_url.py"


rule extract_glove:
    input:
        archive="<resources>/glove/glove.zip",
    output:
        vectors=ensure("<resources>/glove/{member}", non_empty=True),
    log:
        "<logs>/resources/glove/{member}.log",
    wildcard_constraints:
        member=re.escape(config["downloads"]["glove"]["member"]),
    localrule: True
    conda:
        "../../../envs/data.yaml"
    params:
        member=config["downloads"]["glove"]["member"],
    script:
        "../../scripts/extract_glove.py"
