"""`make setup` leaves everything compiled, whoever installs it, whatever the environment says."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import struct
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
COMPILE = REPOSITORY / "envs/compile.py"
# Each keeps Python from writing bytecode, or has it written elsewhere or in another way.
AGAINST = {
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONPYCACHEPREFIX": "elsewhere",
    "PYTHONOPTIMIZE": "2",
    "SOURCE_DATE_EPOCH": "315532800",
}


def bytecode(source: Path) -> Path:
    return Path(importlib.util.cache_from_source(str(source), optimization=""))


def takes_bytecode(source: Path) -> bool:
    """Whether this Python would take a source's bytecode: of its version, size and time."""
    if not bytecode(source).is_file():
        return False
    head = bytecode(source).read_bytes()[:16]
    status = source.stat()
    kept = (0, int(status.st_mtime), status.st_size)
    return head[:4] == importlib.util.MAGIC_NUMBER and struct.unpack("<III", head[4:]) == kept


def is_python(source: Path) -> bool:
    try:
        compile(source.read_bytes(), source, "exec", dont_inherit=True)
    except SyntaxError:
        return False
    return True


def uncompiled(folder: Path) -> list[Path]:
    return [
        source
        for source in sorted(folder.rglob("*.py"))
        if not takes_bytecode(source) and is_python(source)
    ]


# ---------------------------------------------------------------- this environment
@pytest.mark.parametrize("name", ["torch", "transformers", "pandas", "sklearn", "snakemake"])
def test_packages_of_the_environment_that_runs_the_tests_are_compiled(name: str) -> None:
    """Else every job of every test compiles them anew: seconds each, hundreds of times."""
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    missing = uncompiled(Path(spec.origin).parent)
    assert missing == [], f"{len(missing)} files of {name} are not compiled: run `make setup`"


def test_the_library_that_the_tests_run_is_compiled() -> None:
    """But for what was edited since; `make test` compiles that before it starts."""
    missing = [
        source
        for source in uncompiled(REPOSITORY / "workflow/scripts")
        if not bytecode(source).is_file()
        or source.stat().st_mtime <= bytecode(source).stat().st_mtime
    ]
    assert missing == [], "not compiled: run `make compile`"


# ---------------------------------------------------------------- envs/compile.py
def compile_folder(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(COMPILE), str(folder)]
    return subprocess.run(
        command,
        env=os.environ | AGAINST,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
    )


def test_bytecode_lies_beside_its_source_whatever_the_environment_says(tmp_path: Path) -> None:
    sources = [tmp_path / "package" / f"module_{number}.py" for number in range(3)]
    sources[0].parent.mkdir()
    for source in sources:
        source.write_text("assert 1 + 1 == 2, 'a sum'\n", encoding="utf-8")
    done = compile_folder(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "3 of 3" in done.stdout
    assert uncompiled(tmp_path) == []
    assert all(b"a sum" in bytecode(source).read_bytes() for source in sources)  # asserts are kept
    assert not (tmp_path / "elsewhere").exists()


def test_only_what_was_edited_is_compiled_again_and_nothing_is_said_of_the_rest(
    tmp_path: Path,
) -> None:
    sources = [tmp_path / f"module_{number}.py" for number in range(3)]
    for source in sources:
        source.write_text("number = 1\n", encoding="utf-8")
        os.utime(source, (1e9, 1e9))
    compile_folder(tmp_path)
    before = [bytecode(source).stat().st_mtime_ns for source in sources]
    assert compile_folder(tmp_path).stdout == ""
    sources[1].write_text("number = 2\n", encoding="utf-8")
    assert "1 of 3" in compile_folder(tmp_path).stdout
    after = [bytecode(source).stat().st_mtime_ns for source in sources]
    assert [old == new for old, new in zip(before, after, strict=True)] == [True, False, True]
    assert uncompiled(tmp_path) == []


def test_many_files_are_compiled_too(tmp_path: Path) -> None:
    """By several processes."""
    for number in range(250):
        (tmp_path / f"module_{number}.py").write_text(f"number = {number}\n", encoding="utf-8")
    assert compile_folder(tmp_path).returncode == 0
    assert uncompiled(tmp_path) == []


def test_a_file_of_the_workflow_that_is_not_python_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("def (:\n", encoding="utf-8")
    (tmp_path / "whole.py").write_text("number = 1\n", encoding="utf-8")
    done = compile_folder(tmp_path)
    assert done.returncode != 0
    assert "broken.py" in done.stderr
    assert takes_bytecode(tmp_path / "whole.py")


def test_bytecode_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text("number = 1\n", encoding="utf-8")
    (tmp_path / "__pycache__").write_text("not a folder", encoding="utf-8")
    done = compile_folder(tmp_path)
    assert done.returncode != 0
    assert "Bytecode cannot be written" in done.stderr
    assert "Traceback" not in done.stderr


# ---------------------------------------------------------------- make setup
NO_FILE = "0" * 64  # a hash


def lock_line(package: str, digest: str) -> str:
    return f"{package} \\\n    --hash=sha256:{digest}\n"


class Checkout:
    """A copy of what `make setup` needs, with a lock file of small packages that lie on disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.programs = folder / "bin"  # the whole PATH: with a uv, or without
        self.lock = folder / "requirements.lock"
        for part in ("Makefile", "envs/install.py", "envs/compile.py"):
            (folder / part).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / part, folder / part)
        (folder / "envs/deployment.lock").touch()
        self.library = folder / "workflow/scripts/pairdx"
        self.library.mkdir(parents=True)
        (self.library / "__init__.py").write_text("number = 1\n", encoding="utf-8")
        (folder / "wheels").mkdir()
        self.programs.mkdir()
        (self.programs / "touch").symlink_to(str(shutil.which("touch")))

    def packages(self, venv: str = ".venv") -> Path:
        """Return the folder of the installed packages."""
        return next((self.folder / venv / "lib").glob("python*")) / "site-packages"

    def wheel(self, name: str, *further: str) -> str:
        """Make a package of two modules and return its line of the lock file."""
        wheel = self.folder / f"wheels/{name}-1.0-py3-none-any.whl"
        about = f"{name}-1.0.dist-info"
        files = {f"{name}/__init__.py": "number = 1\n", f"{name}/other.py": "number = 2\n"}
        files |= {f"{name}/{path}": "{{ a template }} = 1\n" for path in further}
        files[f"{about}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
        files[f"{about}/WHEEL"] = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        files[f"{about}/RECORD"] = "".join(f"{path},,\n" for path in (*files, f"{about}/RECORD"))
        with zipfile.ZipFile(wheel, "w") as archive:
            for path, text in files.items():
                archive.writestr(path, text)
        return lock_line(f"{name}==1.0", hashlib.sha256(wheel.read_bytes()).hexdigest())

    def make(self, *targets: str) -> tuple[int, str]:
        """Run make and return its exit status and output; packages come from the folder alone.

        It hears nothing of pip's and uv's settings here, nor of a make that runs these tests.
        """
        foreign = ("PIP", "UV_", "MAKE", "MFLAGS")
        kept = {key: value for key, value in os.environ.items() if not key.startswith(foreign)}
        folders = {"PIP_FIND_LINKS": "wheels", "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull}
        folders |= {"UV_FIND_LINKS": "wheels", "UV_NO_INDEX": "1", "UV_NO_CONFIG": "1"}
        folders["UV_CACHE_DIR"] = str(self.folder / "cache")
        folders |= {key: AGAINST[key] for key in ("PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX")}
        done = subprocess.run(
            [str(shutil.which("make")), *targets, f"PYTHON={sys.executable}"],
            cwd=self.folder,
            env=kept | folders | {"PATH": str(self.programs)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            encoding="utf-8",
        )
        return done.returncode, done.stdout

    def uncompiled(self) -> list[Path]:
        """List what `make setup` left uncompiled."""
        return uncompiled(self.folder / ".venv") + uncompiled(self.folder / "workflow")


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    yield Checkout(tmp_path)
    shutil.rmtree(tmp_path / ".venv", ignore_errors=True)


@pytest.mark.slow
def test_setup_compiles_what_uv_or_pip_installed_and_never_looks_finished_too_early(
    checkout: Checkout,
) -> None:
    """By uv; then by neither, as a hash is wrong; then by pip, as no uv can be had."""
    uv = Path(sys.executable).with_name("uv")
    assert uv.exists(), "the lock file's uv is not installed: run `make setup`"
    (checkout.programs / "uv").symlink_to(uv)
    first, second = checkout.wheel("first", "template.py"), checkout.wheel("second")
    checkout.lock.write_text(first, encoding="utf-8")
    status, output = checkout.make("setup")
    assert status == 0, output
    assert "with uv" in output
    assert "with pip" not in output
    assert "first/template.py" in output  # not compiled, which is said
    assert checkout.uncompiled() == []
    assert takes_bytecode(checkout.packages() / "first/other.py")
    assert checkout.make("setup") == (0, "")

    checkout.lock.write_text(first + lock_line("second==1.0", NO_FILE), encoding="utf-8")
    status, output = checkout.make("setup")
    assert status != 0, output
    assert output.index("uv could not install") < output.index("with pip")
    assert "Nothing is installed" in output
    assert not (checkout.folder / ".venv/.installed").exists()

    (checkout.packages() / "first/other.py").unlink()  # half a package, which looks whole to pip
    (checkout.programs / "uv").unlink()
    no_uv = lock_line("uv==0.1 ; sys_platform == 'elsewhere'", NO_FILE)
    checkout.lock.write_text(first + second + no_uv, encoding="utf-8")
    status, output = checkout.make("setup")
    assert output.index("beginning anew") < output.index("Getting uv") < output.index("with pip")
    assert status == 0, output
    assert "with uv" not in output
    assert checkout.uncompiled() == []
    assert takes_bytecode(checkout.packages() / "first/other.py")
    assert takes_bytecode(checkout.packages() / "second/other.py")


@pytest.mark.slow
def test_the_environment_of_deployed_systems_has_its_packages_and_the_library(
    checkout: Checkout,
) -> None:
    """The library as it is in the checkout: what is edited later is what runs."""
    (checkout.programs / "uv").symlink_to(Path(sys.executable).with_name("uv"))
    (checkout.folder / "envs/deployment.lock").write_text(checkout.wheel("first"), encoding="utf-8")
    checkout.lock.write_text("", encoding="utf-8")
    status, output = checkout.make("deployment")
    assert status == 0, output
    (checkout.library / "__init__.py").write_text("number = 17\n", encoding="utf-8")
    python = checkout.folder / ".venv-deployment/bin/python"
    ask = "import first, pairdx; print(first.number + pairdx.number)"
    done = subprocess.run(
        [python, "-I", "-c", ask], capture_output=True, text=True, check=False, encoding="utf-8"
    )
    assert (done.returncode, done.stdout) == (0, "18\n"), done.stderr
    assert takes_bytecode(checkout.packages(".venv-deployment") / "first/other.py")
    assert not (checkout.folder / ".venv").exists()
    assert checkout.make("deployment")[1] == "make: Nothing to be done for 'deployment'.\n"


@pytest.mark.parametrize("target", ["demo", "report", "check", "test", "test-slurm"])
def test_what_runs_the_library_compiles_it_first(checkout: Checkout, target: str) -> None:
    checkout.lock.touch()
    for venv in (".venv", ".venv-deployment"):
        (checkout.folder / venv).mkdir()
        (checkout.folder / venv / ".installed").touch()
    status, output = checkout.make("-n", target)
    assert status == 0, output
    assert output.splitlines()[0].endswith("envs/compile.py workflow/scripts")
