"""Fail where the cluster check's report says that a run would."""

from typing import TYPE_CHECKING

from pairdx.cluster.report import PLACES
from pairdx.errors import PairDxError
from pairdx.files import read_json
from pairdx.logs import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main() -> None:
    """End with an error that names what failed."""
    with job_log(snakemake.log[0]) as log:
        found = read_json(snakemake.input.findings)
        failed = [finding for finding in found if finding["verdict"] == "fail"]
        if failed:
            raise PairDxError(
                "the cluster check failed: "
                + "; ".join(f"{PLACES[f['place']]}, {f['check']}" for f in failed),
                where=snakemake.input.report,
                remedy="change the lines that the report names (they are printed above) and ask "
                "for cluster_check again",
            )
        log.info("the cluster check passed: %s", snakemake.input.report)


main()
