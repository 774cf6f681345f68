"""Files from elsewhere: listings of what a source holds, downloads that resume, files on this disk.

Nothing here trusts what it receives: a file takes its final name only when it is whole and its
checksum is the expected one, and no name in a listing leads out of its folder.
"""

from pairdx.fetching.checksums import Checksum, choose_checksum, parse_checksum, verify
from pairdx.fetching.http import Patience
from pairdx.fetching.listings import (
    RemoteFile,
    download_all,
    hub_listing,
    select_files,
    zenodo_listing,
)
from pairdx.fetching.local import extract_member, unpack_gzip
from pairdx.fetching.transfer import download

__all__ = [
    "Checksum",
    "Patience",
    "RemoteFile",
    "choose_checksum",
    "download",
    "download_all",
    "extract_member",
    "hub_listing",
    "parse_checksum",
    "select_files",
    "unpack_gzip",
    "verify",
    "zenodo_listing",
]
