"""While the cluster check's jobs wait: say why, and hold a lock for them to run into."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pairdx.cluster.storage import held_file, holding, shared_folder, token_of
from pairdx.cluster.watch import Watched, watch
from pairdx.files import write_json
from pairdx.logs import job_log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake


def main() -> None:
    """Watch until the jobs have left their facts, or are gone; the report tells which."""
    checked, places = snakemake.wildcards.checked, snakemake.params.places
    folder = Path(snakemake.output.waited).parent
    shared = shared_folder(snakemake.params.state, checked)
    jobs = [
        Watched(f"check_{place}_node", folder / f"{place}.json", token_of(shared, place))
        for place in places
    ]
    with job_log(snakemake.log[0]), holding(held_file(shared)):
        try:
            reasons = watch(checked, jobs)
        except KeyboardInterrupt:  # Ctrl-C ends the whole check: no traceback for that
            sys.exit(130)
        waited = {place: reasons[f"check_{place}_node"] for place in places}
        write_json(snakemake.output.waited, waited)


main()
