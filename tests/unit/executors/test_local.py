"""The local executor against real child processes: what they get, and what is left of them."""

from __future__ import annotations

import os
import signal
import stat
import sys
import threading
import time
from pathlib import Path

import msgspec
import pytest

from secgate.errors import InternalError
from secgate.executors.local import LocalExecutor
from secgate.model import Job, Limits, Output, Slot, Source, Tool, View

OPERATOR = {
    "PATH": "/evil/bin",
    "HOME": "/home/operator",
    "PYTHONPATH": "/evil",
    "PYTHONSTARTUP": "/evil/start.py",
    "AWS_SECRET_ACCESS_KEY": "made-up",
    "LD_PRELOAD": "/evil.so",
    "HTTPS_PROXY": "http://proxy.example:3128",
    "PIP_INDEX_URL": "https://index.example/simple",
    "SSL_CERT_FILE": "/etc/bundle.pem",
}
PRINT_ENVIRONMENT = "import os, sys; sys.stdout.write('\\0'.join(f'{k}={v}' for k, v in os.environ.items()))"


@pytest.fixture
def executor(tmp_path: Path) -> LocalExecutor:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    return LocalExecutor(environment=OPERATOR, scratch=str(scratch), python=sys.executable, parallel=2)


@pytest.fixture
def view(tmp_path: Path) -> View:
    (tmp_path / "view").mkdir()
    return View(root=str(tmp_path / "view"), source=Source.WORK_TREE, digests={})


def python(executor: LocalExecutor, code: str, cwd: Path, **options: object) -> Output:
    return executor.run([sys.executable, "-I", "-c", code], cwd=str(cwd), **options)  # type: ignore[arg-type]


def job(*argv: str | Slot, name: str = "own:1", **fields: object) -> Job:
    return msgspec.structs.replace(Job(scanner="own", name=name, argv=argv, files=()), **fields)


def execute(executor: LocalExecutor, view: View, *jobs: Job, tools: dict[str, Tool] | None = None) -> dict[str, Output]:
    return executor.execute(
        jobs, view=view, tools=tools or {}, services={}, rules_root="/rules", on_end=lambda _job, _output: None
    )


def environment_of(output: Output) -> dict[str, str]:
    return dict(entry.split("=", 1) for entry in output.stdout.decode().split("\0"))


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def is_gone_soon(pid: int) -> bool:
    for _ in range(100):
        if not is_alive(pid):
            return True
        time.sleep(0.02)
    return False


def test_environment_holds_the_allow_list_and_nothing_else(executor: LocalExecutor, tmp_path: Path) -> None:
    seen = environment_of(python(executor, PRINT_ENVIRONMENT, tmp_path, env={"OWN": "1"}))
    assert set(seen) - {"LC_CTYPE"} == {
        *("PATH", "LANG", "LC_ALL", "TZ", "HOME", "TMPDIR", "NO_COLOR", "PYTHONSAFEPATH", "SECGATE_CHILD", "OWN")
    }
    assert seen["PATH"] == "/usr/local/bin:/usr/bin:/bin"
    assert seen["HOME"] not in OPERATOR.values()


def test_network_adds_proxies_certificates_and_index_only(executor: LocalExecutor, tmp_path: Path) -> None:
    plain = environment_of(python(executor, PRINT_ENVIRONMENT, tmp_path))
    network = environment_of(python(executor, PRINT_ENVIRONMENT, tmp_path, network=True))
    assert set(network) - set(plain) == {"HTTPS_PROXY", "PIP_INDEX_URL", "SSL_CERT_FILE"}


LOOK = "import os; h = os.environ['HOME']; print(h, os.listdir(h), oct(os.stat(h).st_mode & 0o777))"


def test_the_home_of_a_job_is_empty_private_and_gone_afterwards(executor: LocalExecutor, view: View) -> None:
    one = job(sys.executable, "-I", "-c", LOOK)
    home, entries, mode = execute(executor, view, one)["own:1"].stdout.decode().split()
    assert (entries, mode) == ("[]", "0o700")
    assert not Path(home).exists()


@pytest.mark.parametrize(
    "leave",
    [
        "open(h + '/.gitconfig', 'w')",
        "os.mkdir(os.environ['TMPDIR'] + '/x')",
        "os.chmod(h, 0o777)",
        "os.rename(h, h + '2')",
        "os.rmdir(h); os.symlink('/', h)",
    ],
)
def test_the_home_of_a_short_call_is_handed_on_only_as_it_was(
    executor: LocalExecutor, tmp_path: Path, leave: str
) -> None:
    first, entries, mode = python(executor, LOOK, tmp_path).stdout.decode().split()
    again = python(executor, f"import os; h = os.environ['HOME']; print(h); {leave}", tmp_path)
    assert again.stdout.decode().split() == [first], "nothing was left there"
    home, *rest = python(executor, LOOK, tmp_path).stdout.decode().split()
    assert [entries, mode] == rest == ["[]", "0o700"]
    assert home != first
    assert not Path(first).parent.exists()


@pytest.mark.parametrize("name", ["PYTHONPATH", "LD_PRELOAD"])
def test_a_job_cannot_set_what_changes_loaded_code(executor: LocalExecutor, tmp_path: Path, name: str) -> None:
    with pytest.raises(InternalError, match=name):
        python(executor, "", tmp_path, env={name: "/evil"})


def test_missing_program_is_a_problem_without_a_machine_path(executor: LocalExecutor, tmp_path: Path) -> None:
    output = executor.run(["/no/such/place/tool"], cwd=str(tmp_path))
    assert output.problem == "cannot start tool: No such file or directory"
    assert executor.run(["true", "a\0b"], cwd=str(tmp_path)).problem


def test_exit_code_and_signal_are_told(executor: LocalExecutor, tmp_path: Path) -> None:
    assert python(executor, "raise SystemExit(7)", tmp_path).exit_code == 7
    assert python(executor, "import os; os.kill(os.getpid(), 9)", tmp_path).exit_code == -signal.SIGKILL


def test_output_need_not_be_text(executor: LocalExecutor, tmp_path: Path) -> None:
    assert python(executor, r"import sys; sys.stdout.buffer.write(b'\xff\x00\xfe')", tmp_path).stdout == b"\xff\x00\xfe"


@pytest.mark.parametrize("size", [1, 900_000, 3_000_000])
def test_input_of_any_size_is_fed(executor: LocalExecutor, tmp_path: Path, size: int) -> None:
    data = os.urandom(size)
    code = "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read())"
    assert python(executor, code, tmp_path, stdin=data).stdout == data


def test_input_that_is_not_wanted_is_dropped(executor: LocalExecutor, tmp_path: Path) -> None:
    output = python(executor, "print('done')", tmp_path, stdin=b"x" * 3_000_000)
    assert (output.exit_code, output.stdout) == (0, b"done\n")


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_an_output_bomb_is_cut_and_the_child_killed(executor: LocalExecutor, tmp_path: Path, stream: str) -> None:
    code = f"import sys\nwhile True: sys.{stream}.write('bomb' * 1000)"
    output = python(executor, code, tmp_path, limits=Limits(output_bytes=1_000_000, time_s=60))
    assert output.truncated
    assert len(output.stdout) + len(output.stderr) == 1_000_000
    assert output.exit_code == -signal.SIGTERM


def test_time_limit_kills_a_child_that_ignores_terminate(executor: LocalExecutor, tmp_path: Path) -> None:
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
    output = python(executor, code, tmp_path, limits=Limits(time_s=0.5))
    assert output.timed_out
    assert output.exit_code == -signal.SIGKILL
    assert output.duration_s < 10


@pytest.mark.parametrize("leaves_the_group", [False, True])
def test_time_limit_kills_grandchildren(executor: LocalExecutor, tmp_path: Path, leaves_the_group: bool) -> None:
    code = (
        "import subprocess, sys, time\n"
        f"p = subprocess.Popen(['sleep', '600'], start_new_session={leaves_the_group})\n"
        "print(p.pid, flush=True); time.sleep(600)"
    )
    output = python(executor, code, tmp_path, limits=Limits(time_s=1))
    assert output.timed_out
    assert is_gone_soon(int(output.stdout))


@pytest.mark.parametrize("leaves_the_group", [False, True])
def test_a_grandchild_that_holds_the_outputs_does_not_hold_us(
    executor: LocalExecutor, tmp_path: Path, leaves_the_group: bool
) -> None:
    code = (
        f"import subprocess; p = subprocess.Popen(['sleep', '600'], start_new_session={leaves_the_group});"
        "print(p.pid, flush=True)"
    )
    output = python(executor, code, tmp_path, limits=Limits(time_s=60))
    assert (output.exit_code, output.timed_out) == (0, False)
    assert output.duration_s < 20
    assert is_gone_soon(int(output.stdout))


def test_memory_cap_holds(executor: LocalExecutor, tmp_path: Path) -> None:
    code = "import time; time.sleep(0.3); b = bytearray(1 << 30); print(len(b))"
    assert python(executor, code, tmp_path, limits=Limits(memory_bytes=1 << 28)).exit_code == 1


def test_cancel_ends_what_runs_and_starts_no_more(executor: LocalExecutor, tmp_path: Path) -> None:
    threading.Timer(0.5, executor.cancel).start()
    output = python(executor, "import time; time.sleep(600)", tmp_path)
    assert (output.problem, output.timed_out) == ("interrupted", False)
    assert python(executor, "print(1)", tmp_path).problem == "interrupted"


def test_an_exception_while_jobs_run_leaves_no_child(executor: LocalExecutor, view: View, tmp_path: Path) -> None:
    note = tmp_path / "pid"
    code = f"import os, time; open({str(note)!r}, 'w').write(str(os.getpid())); time.sleep(600)"

    def on_end(ended: Job, _output: Output) -> None:
        if ended.name == "own:short":
            raise KeyboardInterrupt

    wait = f"import os, time\nwhile not os.path.exists({str(note)!r}): time.sleep(0.05)\ntime.sleep(0.2)"
    jobs = [job(sys.executable, "-c", wait, name="own:short"), job(sys.executable, "-c", code, name="own:long")]
    with pytest.raises(KeyboardInterrupt):
        executor.execute(jobs, view=view, tools={}, services={}, rules_root="", on_end=on_end)
    assert is_gone_soon(int(note.read_text()))


def test_slots_are_filled_and_look_alikes_are_not(executor: LocalExecutor, view: View) -> None:
    tool = Tool(name="own", path="/t/own", version="1", digest="0" * 64, environment="path")
    code = "import sys; print(*sys.argv[1:], sep='|')"
    slots = (Slot(name="view", suffix="/a"), Slot(name="rules"), Slot(name="tool"))
    made = job(sys.executable, "-c", code, *slots, "{view}", "Slot(view)", "$HOME")
    output = execute(executor, view, made, tools={"own": tool})["own:1"]
    assert output.stdout.decode() == f"{view.root}/a|/rules|/t/own|{{view}}|Slot(view)|$HOME\n"


def test_python_slot_is_the_tools_own_interpreter_where_it_has_one(executor: LocalExecutor, view: View) -> None:
    tool = Tool(name="own", path="x", version="1", digest="0" * 64, environment="tools", interpreter="/bin/echo")
    made = job(Slot(name="python"), "hello")
    assert execute(executor, view, made, tools={"own": tool})["own:1"].stdout == b"hello\n"


def test_blobs_go_in_and_outputs_come_back(executor: LocalExecutor, view: View) -> None:
    code = "open('out', 'wb').write(open('in', 'rb').read()[::-1])"
    made = job(sys.executable, "-c", code, blobs={"in": b"\xffab"}, outputs=("out", "absent"), cwd="work")
    assert execute(executor, view, made)["own:1"].files == {"out": b"ba\xff"}


@pytest.mark.parametrize("make", ["os.symlink('/etc/passwd', 'out')", "os.mkfifo('out')", "os.mkdir('out')"])
def test_outputs_are_regular_files_only(executor: LocalExecutor, view: View, make: str) -> None:
    made = job(sys.executable, "-c", f"import os; {make}", outputs=("out",), cwd="work")
    assert execute(executor, view, made)["own:1"].files == {}


def test_an_output_file_past_the_cap_is_truncation(executor: LocalExecutor, view: View) -> None:
    made = job(
        *(sys.executable, "-c", "open('out', 'w').write('x' * 5000)"),
        outputs=("out",),
        cwd="work",
        limits=Limits(output_bytes=4999),
    )
    output = execute(executor, view, made)["own:1"]
    assert (output.truncated, output.files) == (True, {})


@pytest.mark.parametrize("name", ["../x", "/etc/x", "..", ""])
def test_blob_names_stay_in_the_work_directory(executor: LocalExecutor, view: View, name: str) -> None:
    with pytest.raises(InternalError):
        execute(executor, view, job("true", blobs={name: b""}))


def test_a_job_without_its_service_or_tool_is_never_run(executor: LocalExecutor, view: View) -> None:
    made = [job("touch", f"{view.root}/ran", service="advisories"), job(Slot(name="tool"), name="own:2")]
    outputs = execute(executor, view, *made)
    assert "advisories" in outputs["own:1"].problem
    assert "own" in outputs["own:2"].problem
    assert not Path(view.root, "ran").exists()


def test_jobs_run_side_by_side_and_answer_under_their_names(executor: LocalExecutor, view: View) -> None:
    meet = (
        "import pathlib, sys, time; me, other = sys.argv[1:]; pathlib.Path(me).touch()\n"
        "while not pathlib.Path(other).exists(): time.sleep(0.02)\nprint(me)"
    )
    jobs = [job(sys.executable, "-c", meet, me, other, name=f"own:{me}") for me, other in ("ab", "ba")]
    outputs = execute(executor, view, *jobs)
    assert {name: output.stdout for name, output in outputs.items()} == {"own:a": b"a\n", "own:b": b"b\n"}


def test_two_jobs_of_one_name_are_refused(executor: LocalExecutor, view: View) -> None:
    with pytest.raises(InternalError, match="own:1"):
        execute(executor, view, job("true"), job("true"))


def test_work_directory_is_private_and_removed(executor: LocalExecutor, view: View, tmp_path: Path) -> None:
    code = "import os; print(os.getcwd(), oct(os.stat('.').st_mode & 0o777))"
    where, mode = execute(executor, view, job(sys.executable, "-c", code, cwd="work"))["own:1"].stdout.decode().split()
    assert mode == oct(stat.S_IRWXU)
    assert not Path(where).exists()
    assert list((tmp_path / "scratch").iterdir()) == []
