"""What a command in the sandbox cannot do: each test is an attack, named after the promise that it tries to break."""

from __future__ import annotations

import asyncio
import ctypes
import os
import platform
import socket
import struct
import subprocess
import sys
import tempfile
import uuid
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from kaaj_agent import process_count, sandbox, syscall_filter
from kaaj_agent.command_caps import Caps, counts_apart
from kaaj_agent.failures import SandboxError
from kaaj_agent.ports import CommandResult
from kaaj_agent.sandbox import Sandbox
from kaaj_agent.shadow import Shadow
from kaaj_agent.shell import ShadowShell
from kaaj_agent.world import Folders, World

pytestmark = pytest.mark.skipif(os.name != "posix", reason="a shell of POSIX")
ODD = "31.77"
"""Processes of these tests sleep for odd numbers of seconds, by which they are found."""


@dataclass
class Box:
    """A person's home with a project, secrets beside it, and Kaaj's own state."""

    home: Path
    root: Path
    sandbox: Sandbox

    @asynccontextmanager
    async def shadow(self, **caps: int) -> AsyncGenerator[Shadow]:
        limited = replace(self.sandbox, caps=replace(self.sandbox.caps, **caps))
        shadow = await Shadow.open(Folders.of(self.root), self.home / ".state", sandbox=limited)
        try:
            await shadow.sync(World(Folders.of(self.root)).snapshot())
            yield shadow
        finally:
            await shadow.close()

    async def run(self, command: str, **caps: int) -> CommandResult:
        async with self.shadow(**caps) as shadow:
            return await shadow.shell.run(command, timeout=60)

    async def run_networked(self, command: str) -> CommandResult:
        async with self.shadow() as shadow:
            return await shadow.networked.run(command, timeout=60)

    async def python(self, code: str, **caps: int) -> str:
        (self.root / "attack.py").write_text(code)
        return (await self.run("python3 attack.py", **caps)).output


@pytest.fixture
async def box(tmp_path: Path) -> Box:
    home = (tmp_path / "home").resolve()
    for name in (".ssh", ".state", "project", "other"):
        (home / name).mkdir(parents=True)
    (home / ".ssh/id_rsa").write_text("private")
    (home / ".state/commands.json").write_text("private")
    (home / "other/notes.txt").write_text("private")
    found = await Sandbox.find([home / ".state"])
    if not found.available:
        pytest.skip(found.reason)
    return Box(home, home / "project", replace(found, home=home))


def sleeping(seconds: str) -> list[int]:
    """Processes of this machine that sleep for just that odd number of seconds."""
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if (entry / "cmdline").read_bytes().split(b"\0")[:2] == [b"sleep", seconds.encode()]:
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


async def until(there: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not there():
            await asyncio.sleep(0.01)


# --- the network --------------------------------------------------------------------------------------------------


async def test_a_command_cannot_reach_the_network(box: Box) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as local:
        name = f"\0kaaj-test-{os.getpid()}"
        local.bind(name)
        local.listen()
        said = await box.python(f"""
import socket
port = {server.getsockname()[1]}
tries = [
    (socket.AF_INET, ("127.0.0.1", port)), (socket.AF_INET, ("192.0.2.1", 80)),
    (socket.AF_INET, ("169.254.169.254", 80)),
    (socket.AF_INET6, ("::1", port)), (socket.AF_INET6, ("2001:db8::1", 80)), (socket.AF_UNIX, {name!r}),
]
for family, address in tries:
    one = socket.socket(family)
    one.settimeout(5)
    try:
        one.connect(address)
        print("REACHED", address)
    except OSError as error:
        print("no", error)
print(socket.if_nameindex())
""")
    assert "REACHED" not in said
    assert said.count("no [Errno") == 6
    assert said.strip().endswith("[(1, 'lo')]"), "there is no other interface"


async def test_a_command_cannot_reach_the_host_of_a_virtual_machine(box: Box) -> None:
    if not box.sandbox.filter:
        pytest.skip("no filter for this machine")
    said = await box.python("""
import socket
for family in (40, 17, 38, 31, 15):  # AF_VSOCK, AF_PACKET, AF_ALG, AF_BLUETOOTH, AF_KEY
    try:
        socket.socket(family, socket.SOCK_STREAM)
        print("OPENED", family)
    except OSError as error:
        print(error.errno)
""")
    assert said.split() == ["97"] * 5


async def test_the_network_is_there_only_where_it_was_granted(box: Box) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        command = f"python3 -c \"import socket; socket.create_connection(('127.0.0.1', {port}), 5); print('reached')\""
        assert (await box.run_networked(command)).output == "reached\n"
        assert "reached" not in (await box.run(command)).output
    said = (await box.run_networked("echo $PIP_NO_INDEX; cat /etc/resolv.conf >/dev/null && echo names")).output
    assert said in ("\nnames\n", "\n") or not Path("/etc/resolv.conf").exists(), "tools are not told to stay offline"


# --- files --------------------------------------------------------------------------------------------------------


async def test_a_command_cannot_see_the_home_or_kaajs_state(box: Box) -> None:
    home = box.home
    listed = (await box.run(f"find {home} /root /home -maxdepth 3 2>/dev/null")).output
    assert f"{box.root}\n" in listed
    assert not [name for name in (".ssh", "id_rsa", "notes.txt", "commands.json") if name in listed]
    said = (
        await box.run(f"cat {home}/.ssh/id_rsa {home}/other/notes.txt {home}/.state/commands.json /etc/shadow")
    ).output
    assert "private" not in said
    assert "root:" not in said


async def test_a_home_and_a_state_are_hidden_wherever_they_stand(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    """These stand in /tmp, which is covered as it is: here it is not."""
    state = box.home.parent / "state"
    state.mkdir()
    (state / "commands.json").write_text("private")
    shown = [Path(place) for place in sandbox._HIDDEN if not box.home.is_relative_to(place)]
    monkeypatch.setattr(sandbox, "_HIDDEN", tuple(map(str, shown)))
    monkeypatch.setattr(sandbox, "_SCRATCH", tuple(place for place in sandbox._SCRATCH if place in shown))
    (box.home.parent / "neighbour.txt").write_text("seen")
    box.sandbox = replace(box.sandbox, hidden=(state,))
    said = (await box.run(f"cat {box.home.parent}/neighbour.txt; cd {box.home}; cat .ssh/* other/* {state}/*")).output
    assert said.startswith("seen"), "nothing else covers them"
    assert "private" not in said


PLACES = (
    "/home",
    "/root",
    "/run",
    "/media",
    "/mnt",
    "/etc/ssh",
    "/etc/ssl/private",
    "/etc/kubernetes",
    "/etc/wireguard",
)


@pytest.mark.parametrize("place", PLACES)
async def test_a_command_sees_nothing_of_what_other_people_and_services_keep(box: Box, place: str) -> None:
    folder = Path(place)
    if not folder.is_dir():
        pytest.skip("there is no such folder here")
    planted = folder / f"planted-{uuid.uuid4().hex}"
    if os.access(folder, os.W_OK):
        planted.write_text("private")
    try:
        async with box.shadow() as shadow:
            said = (await shadow.shell.run(f"ls -A {place}")).output
            argv = shadow._argv("true", network=False)
    finally:
        planted.unlink(missing_ok=True)
    shown = {Path(word).relative_to(folder).parts[0] for word in argv if word.startswith(f"{place}/")}
    assert set(said.split()) <= shown, "the way to tools and to the workspace, and nothing else"


async def test_a_command_can_write_to_nothing_but_the_shadow_and_scratch(box: Box) -> None:
    (box.root / "kept.txt").write_text("kept")
    name = f"planted-{uuid.uuid4().hex}"
    tops = ("/", "/usr", "/etc", "/var", "/opt", "/home", "/root", "/run", "/media", "/mnt", "/srv", "/dev", "/sys",
            "/boot", str(box.home / ".state"), str(box.home.parent))  # fmt: skip
    try:
        said = await box.python(f"""
import os
for top in {tops}:
    try:
        with open(os.path.join(top, {name!r}), "w"):
            print("WROTE", top)
    except OSError:
        pass
for path in ("kept.txt", "new.txt", "/tmp/a", "/var/tmp/a", "/dev/shm/a"):
    open(path, "w").close()
print("done")
""")
        allowed = str(box.home.parent)  # a folder of the sandbox's own /tmp, in which the workspace stands
        assert [row for row in said.splitlines() if allowed not in row] == ["done"]
        assert not (box.home.parent / name).exists()
    finally:
        for top in tops:  # an attack must do no harm where the promise is broken
            Path(top, name).unlink(missing_ok=True)
    assert (box.root / "kept.txt").read_text() == "kept"
    assert not (box.root / "new.txt").exists()


async def test_tmp_is_fresh_for_each_command(box: Box) -> None:
    name = f"kaaj-test-{os.getpid()}"
    async with box.shadow() as shadow:
        assert (await shadow.shell.run(f"ls -A /var/tmp; echo x > /var/tmp/{name}; ls /var/tmp")).output == f"{name}\n"
        assert (await shadow.shell.run("ls -A /var/tmp /dev/shm")).output == "/dev/shm:\n\n/var/tmp:\n"  # noqa: S108 - its own
    assert not Path("/var/tmp", name).exists()  # noqa: S108 - as above


async def test_a_command_cannot_fill_the_memory_through_tmp(box: Box) -> None:
    said = (
        await box.run(
            "for d in /tmp /var/tmp /dev/shm; do head -c 9000000 /dev/zero > $d/x; stat -c %s $d/x; done 2>/dev/null",
            scratch=4 * 1024 * 1024,
        )
    ).output
    assert [int(size) <= 8 * 1024 * 1024 for size in said.split()] == [True] * 3


async def test_a_command_gets_no_descriptor_of_kaajs(box: Box) -> None:
    said = await box.python("""
import os
for number in range(3, 4096):
    try:
        print(number, os.readlink(f"/proc/self/fd/{number}"))
    except OSError:
        pass
""")
    assert [row for row in said.splitlines() if "attack.py" not in row] == []


# --- processes and rights -----------------------------------------------------------------------------------------


async def test_a_command_can_neither_see_nor_end_other_processes(box: Box) -> None:
    # Aimed at one process of our own: an attack must do no harm where the promise is broken.
    other = await asyncio.create_subprocess_exec("sleep", f"{ODD}01")
    try:
        said = (await box.run(f"grep -la '[3]1.7701' /proc/[0-9]*/cmdline; kill -9 {other.pid}; echo done")).output
        assert other.returncode is None
        assert "/proc/" not in said
        assert said.endswith("done\n")
        assert "PPid:\t0" in (await box.run("cat /proc/1/status")).output
        assert sleeping(f"{ODD}01") == [other.pid]
    finally:
        other.kill()
        await other.wait()


async def test_a_command_shares_no_session_with_who_started_it(box: Box) -> None:
    """One of a terminal's session could type into it."""
    assert int((await box.run("cut -d' ' -f6 /proc/self/stat")).output) > 0  # 0: of another world


async def test_a_command_shares_no_memory_with_other_processes(box: Box) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    key = 0x6B610000 + os.getpid() % 0xFFFF
    segment = library.shmget(key, 4096, 0o1600)
    if segment < 0:
        pytest.skip("this system shares no memory by keys")
    try:
        said = await box.python(f"""
import ctypes
print(ctypes.CDLL(None).shmget({key}, 0, 0))
""")
    finally:
        library.shmctl(segment, 0, None)
    assert said.strip() == "-1"


async def test_a_command_ends_with_kaaj(box: Box) -> None:
    """Also where Kaaj is killed, and can end nothing any more."""
    number = f"{ODD}50"
    async with box.shadow() as shadow:
        argv = shadow._argv(f"sleep {number}", network=False)
        kaaj = await asyncio.create_subprocess_exec(
            sys.executable, "-c", "import subprocess, sys; subprocess.run(sys.argv[1:])", *argv
        )
        try:
            await until(lambda: sleeping(number))
        finally:
            kaaj.kill()
            await kaaj.wait()
        try:
            await until(lambda: not sleeping(number))
        finally:
            for pid in sleeping(number):
                os.kill(pid, 9)


async def test_a_command_has_no_rights_and_cannot_gain_any(box: Box) -> None:
    said = (await box.run("grep -E '^(Cap(Inh|Prm|Eff|Bnd|Amb)|NoNewPrivs|Seccomp):' /proc/self/status")).output
    rows = dict(row.split(":\t") for row in said.splitlines())
    assert {value for name, value in rows.items() if name.startswith("Cap")} == {"0" * 16}
    assert rows["NoNewPrivs"] == "1", "no setuid program helps"
    if box.sandbox.filter:
        assert rows["Seccomp"] == "2"


@pytest.mark.parametrize("layer", ["both", "bubblewrap", "filter"])
async def test_a_command_cannot_nest_a_user_namespace(box: Box, layer: str) -> None:
    if layer != "filter" and not await asyncio.to_thread(_can_stop_nesting, str(box.sandbox.program)):
        pytest.skip("this bubblewrap cannot")
    if layer != "bubblewrap" and not box.sandbox.filter:
        pytest.skip("no filter for this machine")
    if layer == "bubblewrap":
        box.sandbox = replace(box.sandbox, filter=b"")
    elif layer == "filter":
        box.sandbox = replace(
            box.sandbox, flags=tuple(flag for flag in box.sandbox.flags if flag != "--disable-userns")
        )
    said = await box.python("""
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
print("unshared" if libc.unshare(0x10000000) == 0 else "refused")
print("mounted" if libc.mount(b"none", os.fsencode(os.getcwd()), b"tmpfs", 0, None) == 0 else "refused")
""")
    assert said.split() == ["refused", "refused"]


def _can_stop_nesting(program: str) -> bool:
    return "--disable-userns" in subprocess.run([program, "--help"], capture_output=True, text=True, check=True).stdout


CALLS = {"x86_64": (425, 250, 321, 298, 323, 155, 308, 304), "aarch64": (425, 219, 280, 241, 282, 41, 268, 265)}


async def test_system_calls_that_nothing_needs_are_refused(box: Box) -> None:
    """io_uring_setup, keyctl, bpf, perf_event_open, userfaultfd, pivot_root, setns, open_by_handle_at."""
    numbers = CALLS.get(platform.machine())
    if numbers is None or not box.sandbox.filter:
        pytest.skip("no filter for this machine")
    said = await box.python(f"""
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
for number in {numbers}:
    ctypes.set_errno(0)
    print(libc.syscall(number, 0, 0, 0, 0, 0), ctypes.get_errno())
""")
    assert said.splitlines() == ["-1 38", *["-1 1"] * 7]


async def test_a_command_cannot_type_into_a_terminal(box: Box) -> None:
    if not box.sandbox.filter:
        pytest.skip("no filter for this machine")
    said = await box.python("""
import fcntl, os
first, second = os.openpty()
for call in (0x5412, 0x541C):  # TIOCSTI, TIOCLINUX
    try:
        fcntl.ioctl(second, call, b"x")
        print("TYPED")
    except PermissionError:
        print("refused")
""")
    assert said.split() == ["refused", "refused"]


def test_the_filter_is_a_whole_program() -> None:
    for machine in ("x86_64", "aarch64"):
        rules = syscall_filter.program(machine)
        assert len(rules) % 8 == 0
        codes = [rules[at] | rules[at + 1] << 8 for at in range(0, len(rules), 8)]
        for at in range(0, len(rules), 8):
            if codes[at // 8] & 0x07 == 0x05:  # a jump
                assert at // 8 + 1 + max(rules[at + 2], rules[at + 3]) < len(codes)
        assert codes[-1] == 0x06, "it ends with a verdict"
    assert syscall_filter.program("sparc") == b""


def verdict(rules: bytes, call: int, arch: int, *arguments: int) -> int:
    """What the kernel would make of a call: the error that it gets, 0 where it is made."""
    data = struct.pack("=IIQ6Q", call, arch, 0, *arguments, *[0] * (6 - len(arguments)))
    at = held = 0
    while True:
        code, then, otherwise, value = struct.unpack_from("=HBBI", rules, 8 * at)
        at += 1
        match code:
            case 0x20:
                held = struct.unpack_from("=I", data, value)[0]
            case 0x06:
                return value & 0xFFFF if value & 0x7FFF0000 != 0x7FFF0000 else 0
            case _:
                held_so = {0x15: held == value, 0x35: held >= value, 0x45: bool(held & value)}[code]
                at += then if held_so else otherwise


DENIED = {
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51), "setns": (308, 268),
    "unshare": (272, 97), "swapon": (167, 224), "reboot": (169, 142), "kexec_load": (246, 104),
    "kexec_file_load": (320, 294), "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106),
    "settimeofday": (164, 170), "clock_settime": (227, 112), "bpf": (321, 280), "perf_event_open": (298, 241),
    "userfaultfd": (323, 282), "keyctl": (250, 219), "add_key": (248, 217), "request_key": (249, 218),
    "open_by_handle_at": (304, 265), "syslog": (103, 116), "open_tree": (428, 428), "move_mount": (429, 429),
    "fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433),
    "pidfd_getfd": (438, 438), "mount_setattr": (442, 442),
}  # fmt: skip
MACHINES = {
    "x86_64": (0xC000003E, 0x40000003, 41, 16, 56),
    "aarch64": (0xC00000B7, 0x40000028, 198, 29, 220),
}
"""Its architecture, that of its older programs, and the numbers of socket, ioctl and clone."""


@pytest.mark.parametrize("machine", MACHINES)
def test_the_filter_refuses_what_it_should_and_nothing_else(machine: str) -> None:
    rules = syscall_filter.program(machine)
    arch, older, socket_, ioctl, clone = MACHINES[machine]
    told = {name: verdict(rules, numbers[machine == "aarch64"], arch) for name, numbers in DENIED.items()}
    assert set(told.values()) == {1}, [name for name, error in told.items() if error != 1]
    for number in (425, 426, 427, 435):  # io_uring, clone3
        assert verdict(rules, number, arch) == 38
    assert verdict(rules, 0, older) == 38, "whose numbers mean something else"
    assert verdict(rules, 0x40000000 + 1, arch) == 38
    families = [family for family in range(64) if verdict(rules, socket_, arch, family) == 0]
    assert families == [1, 2, 10, 16]
    assert [verdict(rules, ioctl, arch, 0, number) for number in (0x5412, 0x541C, 0x5413)] == [1, 1, 0]
    assert [verdict(rules, clone, arch, flags) for flags in (0x10000011, 0x11, 0x3D0F00)] == [1, 0, 0]
    assert [verdict(rules, number, arch) for number in (1, 59, 63, 221)] == [0] * 4


DAEMON = (
    'python3 -c "import os; os.fork() and os._exit(0); os.setsid(); os.fork() and os._exit(0);'
    " os.execvpe('sleep', ['sleep', '{n}'], {{}})\"; echo ok"
)


@pytest.mark.parametrize(
    "attack",
    [
        "sleep {n} & disown 2>/dev/null; echo ok",
        "(setsid sh -c 'trap \"\" TERM HUP; sleep {n}; sleep {n}' >/dev/null 2>&1 &) ; echo ok",
        DAEMON,
    ],
    ids=["background", "deaf and in a session of its own", "forked twice without an environment"],
)
async def test_nothing_that_a_command_starts_outlives_it(box: Box, attack: str) -> None:
    number = f"{ODD}1{len(attack)}"
    async with asyncio.timeout(30):
        assert (await box.run(attack.format(n=number))).output == "ok\n", "nor is it waited for"
    await until(lambda: not sleeping(number))


async def test_without_a_sandbox_a_daemon_on_the_pipe_does_not_hold_the_command_up(tmp_path: Path) -> None:
    number = f"{ODD}20"
    shell = ShadowShell(tmp_path, lambda command: ["/bin/sh", "-c", command], lambda: dict(os.environ), sandboxed=False)
    try:
        async with asyncio.timeout(25):  # it sleeps longer
            daemon = f"env -i setsid sh -c ': > up; exec sleep {number}'"
            result = await shell.run(f"{daemon} & while [ ! -e up ]; do sleep 0.05; done; echo ok")
        assert (result.exit_code, result.output) == (0, "ok\n")
        assert sleeping(number), "one that hides from Kaaj lives on where nothing holds it"
    finally:
        for pid in sleeping(number):
            os.kill(pid, 9)


BOMBS = {
    "many children": "i=0; while [ $i -lt 400 ]; do sleep {n} & i=$((i+1)); done; wait",
    "a tree": "b() {{ [ $1 -gt 9 ] || {{ b $(($1+1)) & b $(($1+1)) & }}; sleep {n}; }}; b 0; wait",
    "daemons": "i=0; while [ $i -lt 400 ]; do (setsid sleep {n} &); i=$((i+1)); done; sleep {n}",
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS.keys())
async def test_a_fork_bomb_is_bounded(box: Box, bomb: str) -> None:
    number = f"{ODD}3{len(bomb)}"
    async with asyncio.timeout(50):
        result = await box.run(bomb.format(n=number), processes=60)
    bounded = "more than 60 processes" in result.output or "fork" in result.output.lower()
    assert bounded, result.output
    assert result.exit_code != 0 or "fork" in result.output.lower()
    await until(lambda: not sleeping(number))


async def test_the_kernel_counts_the_processes_of_a_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    """For anyone but root. Run as nobody where the tests run as root."""
    found = await Sandbox.find()
    if not found.available or not counts_apart():
        pytest.skip(found.reason or "this kernel counts all of a user's processes together")
    monkeypatch.setattr(sandbox, "toolchains", _none)  # they may stand where nobody may look
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        Path(name).chmod(0o777)
        place = Path(name)
        box = replace(found, caps=replace(found.caps, processes=30))
        argv = box.argv("i=0; while [ $i -lt 60 ]; do sleep 5 & i=$((i+1)); done; echo all", place, place)
        user = 65534 if os.geteuid() == 0 else None
        done = await asyncio.to_thread(_run_as, user, argv)
    if done.stderr.startswith("bwrap: "):
        pytest.skip(done.stderr)
    assert "all" not in done.stdout
    assert "fork" in done.stderr.lower()


def _none(*_: object) -> tuple[Path, ...]:
    return ()


def _run_as(user: int | None, argv: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, user=user, check=False, cwd="/", env={})


async def test_processes_are_counted_with_their_orphans() -> None:
    shell = await asyncio.create_subprocess_exec(
        "sh", "-c", f"sleep {ODD}40 & sleep {ODD}40 & wait", start_new_session=True
    )
    try:
        await until(lambda: len(sleeping(f"{ODD}40")) == 2)
        assert process_count.below(shell.pid, 50) == 2
        assert process_count.below(shell.pid, 0) == 1, "it stops counting there"
        assert await process_count.kill_above(shell.pid, 1)
        assert process_count.below(2**22 + 1, 50) is None
    finally:
        os.killpg(shell.pid, 9)
        await shell.wait()


# --- limits -------------------------------------------------------------------------------------------------------


async def test_a_command_cannot_take_all_memory(box: Box) -> None:
    said = await box.python(
        """
try:
    bytearray(900_000_000)
    print("TAKEN")
except MemoryError:
    print("refused")
import mmap
reserved = mmap.mmap(-1, 4 << 30, prot=mmap.PROT_READ)  # runtimes reserve far more than they use
print(len(reserved) >> 30)
""",
        data=400_000_000,
    )
    assert said.split() == ["refused", "4"]


async def test_a_command_cannot_open_files_without_end(box: Box) -> None:
    said = await box.python(
        """
import resource
files = []
try:
    while True:
        files.append(open("/dev/null"))
except OSError as error:
    print(error.errno)
try:
    resource.setrlimit(resource.RLIMIT_NOFILE, (9_999, 9_999))
    print("RAISED")
except (ValueError, OSError):
    print("refused")
""",
        open_files=100,
    )
    assert said.split() == ["24", "refused"]


async def test_a_command_cannot_compute_without_end(box: Box) -> None:
    result = await box.run("while :; do :; done", cpu_seconds=1)
    assert result.exit_code not in (0, None)
    assert not result.timed_out


async def test_a_command_cannot_write_a_file_without_end(box: Box) -> None:
    result = await box.run("truncate -s 3G big; stat -c %s big")
    assert "3221225472" not in result.output


def test_the_caps_leave_room_on_any_machine() -> None:
    caps = Caps.of_this_machine()
    assert caps.data >= 2 * 1024**3
    assert caps.scratch >= 256 * 1024**2
    assert caps.processes >= 1_024
    assert "ulimit -u" not in caps.script(sandboxed=False), "without a namespace all of the user's would count"
    assert "ulimit -c 0" in caps.script(sandboxed=False), "no core is left in the workspace"


async def test_where_memory_runs_out_a_command_goes_first(box: Box) -> None:
    assert (await box.run("ulimit -c; cat /proc/self/oom_score_adj")).output.split() == ["0", "800"]


# --- what is told -------------------------------------------------------------------------------------------------


async def test_what_a_command_prints_cannot_pass_for_a_broken_sandbox(box: Box) -> None:
    result = await box.run("echo 'bwrap: No permissions to create a new namespace'; exit 1")
    assert result.exit_code == 1
    assert result.output.startswith("bwrap: No permissions")


async def test_a_sandbox_that_cannot_be_set_up_says_that_nothing_was_run(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    argv = [str(box.sandbox.program), "--ro-bind", "/no/such", "/x", "--", "true"]
    async with box.shadow() as shadow:
        monkeypatch.setattr(shadow.shell, "_argv", lambda _command="": argv)
        with pytest.raises(SandboxError, match="not run"):
            await shadow.shell.run("true")


async def test_terminal_escapes_reach_neither_the_prompt_nor_the_screen(box: Box) -> None:
    heard: list[str] = []
    async with box.shadow() as shadow:
        result = await shadow.shell.run(
            r"printf '\033]0;owned\007\033[2J\033[1;31mred\033[0m \302\2331mnew\302\233H \033]8;;http://x\033\\link\033]8;;\033\\'"
            r"; printf '\033P+q544e\033\\ \033c\b\b\a\r\n\033]52;c;aGk=\007end'",
            on_output=heard.append,
        )
    assert result.output == "".join(heard) == "red new link \nend"


async def test_a_command_learns_no_secret_from_the_environment(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("KAAJ_API_KEY", "AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "SSH_AUTH_SOCK", "DBUS_SESSION_BUS_ADDRESS"):
        monkeypatch.setenv(name, "private")
    monkeypatch.setenv("HTTPS_PROXY", "http://me:private@proxy")
    said = (await box.run_networked("env; cat /proc/1/environ | tr '\\0' '\\n'")).output
    assert "private" not in said
