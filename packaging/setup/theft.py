#!/usr/bin/env python3
"""What a thief learns from a desk: its files one by one and together, a disk image, a core dump, swap, and its memory, open and locked.

Usage: theft.py MENKA-PROGRAM SHOTS-FOLDER, by `MENKA_GUI_SCRIPT=theft.py packaging/setup/gui.sh` (theft.sh does it). A real desk is set up and
used in its own windows, with a name, a flat and passphrases that occur nowhere else; they are then looked for as text (UTF-8 and UTF-16), and
every key of its vault as bytes and as hexadecimal digits (MENKA_THEFT_KEYS names the program that prints them from a copy; `chaos keys`).
Lines `theft WHERE: WHAT found/absent`; what the kernel does not allow is `not run: reason`.
"""
import mmap
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from windows import STAFF, point, read_widgets, run

PROGRAM, SHOTS = sys.argv[1], sys.argv[2]
work = tempfile.mkdtemp(prefix="menka-theft-")
widgets_file = os.path.join(work, "widgets")
NAME, FLAT, OPERATOR = "Zhuoyaqin", "7-7317", "Qiwenlao"
PASSPHRASE, WRONG = "quixotic lantern gravel", "quixotic lantern grovel"
SECRETS = {"resident's name": NAME, "passphrase": PASSPHRASE, "wrong passphrase": WRONG}
not_run, failures = [], []


def widgets():
    return read_widgets(widgets_file)


def has(name, limit=60.0):
    end = time.time() + limit
    while time.time() < end:
        box = widgets().get(STAFF, {}).get("ids", {}).get(name)
        if box:
            return box
        time.sleep(0.05)
    run("import", "-window", "root", os.path.join(SHOTS, "theft-failed.png"))
    sys.exit(f"waited in vain for {name}; there: {sorted(widgets().get(STAFF, {}).get('ids', {}))}")


def click(name):
    has(name)
    time.sleep(0.35)
    box = has(name)
    point(STAFF, box[0] + box[2] / 2, box[1] + box[3] / 2)
    run("xdotool", "click", "1")
    time.sleep(0.3)


def keys(text):
    run("xdotool", "type", "--delay", "25", text)
    time.sleep(0.2)


def press(key):
    run("xdotool", "key", key)
    time.sleep(0.3)


def regions(pid):
    """Every readable private or shared piece of memory of a process, as bytes. Maps of files are read too, but for the program's own."""
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb") as memory:
        for line in maps:
            span, rights, _, _, inode, *path = line.split()
            if "r" not in rights or (path and path[0] in ("[vvar]", "[vsyscall]", "[vvar_vclock]")):
                continue
            begin, end = (int(n, 16) for n in span.split("-"))
            # What lies unchanged in a file on the disk is no memory of the desk.
            if inode != "0" and "w" not in rights:
                continue
            try:
                memory.seek(begin)
                yield line.strip(), memory.read(end - begin)
            except (OSError, ValueError, OverflowError):
                continue


def shapes(text):
    return [text.encode(), text.encode("utf-16-le")]


def vault_keys(folder):
    """Every key of the vault, from a copy of its folder: the vault itself is in use."""
    program = os.environ.get("MENKA_THEFT_KEYS")
    if not program:
        not_run.append("keys of the vault: no MENKA_THEFT_KEYS")
        return {}
    copy = os.path.join(work, "copy")
    shutil.copytree(folder, copy)
    told = subprocess.run([program, "keys", copy], input=PASSPHRASE + "\n", capture_output=True, text=True)
    shutil.rmtree(copy)
    if told.returncode != 0:
        sys.exit(f"the vault's keys: {told.stdout}{told.stderr}")
    found = {}
    for line in told.stdout.splitlines():
        name, key = line.split("\t")
        found[name] = [bytes.fromhex(key), key.encode(), key.upper().encode()]
    return found


def hits(chunks, needles):
    """How often each thing occurs, and in which pieces."""
    found = {what: [0, set()] for what in needles}
    for where, data in chunks:
        for what, forms in needles.items():
            for form in forms:
                count = data.count(form)
                if count:
                    found[what][0] += count
                    found[what][1].add(where.split()[-1] if len(where.split()) > 5 else "anonymous")
    return found


def tell(where, found, must_be_absent=True):
    for what, (count, places) in found.items():
        verdict = f"found {count} times ({', '.join(sorted(places))})" if count else "absent"
        print(f"theft {where}: {what} {verdict}", flush=True)
        if count and must_be_absent:
            failures.append(f"{where}: {what}")


def files_of(folder):
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        if os.path.isfile(path):
            yield name, open(path, "rb").read()


def disk_image(folder):
    """A file system of its own in a file, under the desk's folder."""
    image = os.path.join(work, "disk.img")
    with open(image, "wb") as file:
        file.truncate(64 << 20)
    try:
        run("mkfs.ext4", "-q", "-F", image)
        os.makedirs(folder)
        run("mount", "-o", "loop", image, folder)
        return image
    except (OSError, subprocess.CalledProcessError) as error:
        not_run.append(f"disk image: {getattr(error, 'stderr', error)}".strip())
        return None


GROUP = "/sys/fs/cgroup/memory/menka-theft"


def own_group():
    """A memory group for the desk, so that it can be pushed out of memory later."""
    try:
        os.makedirs(GROUP, exist_ok=True)
        open(f"{GROUP}/memory.swappiness", "w").write("100")
        return True
    except OSError as error:
        not_run.append(f"swap: no memory group: {error}")
        return False


def swapped(pid, needles):
    """Pushes the process out of memory into a swap file of our own and searches that."""
    path = os.path.join(work, "swap")
    try:
        with open(path, "wb") as file:
            file.write(bytes(512 << 20))
        os.chmod(path, 0o600)
        run("mkswap", path)
        run("swapon", "-p", "100", path)
    except (OSError, subprocess.CalledProcessError) as error:
        not_run.append(f"swap: {str(getattr(error, 'stderr', error)).strip()}")
        return
    try:
        for limit in (128, 96, 64, 48, 32, 24, 16, 12):
            try:
                open(f"{GROUP}/memory.limit_in_bytes", "w").write(str(limit << 20))
                time.sleep(0.5)
            except OSError:
                break
        used = [line.split() for line in open(f"/proc/{pid}/status") if line.startswith("VmSwap")]
        kb = int(used[0][1]) if used else 0
        print(f"theft swap: {kb} kB of the desk were swapped out", flush=True)
        os.sync()
        if kb == 0:
            not_run.append("swap: the kernel swapped nothing out")
        else:
            # Whether names are swapped is the machine's doing; passphrases and keys must not be there in any case.
            found = hits([("swap", open(path, "rb").read())], needles)
            names = {"resident's name": found.pop("resident's name")}
            tell("swap, a record open", names, False)
            tell("swap, a record open", found)
    finally:
        open(f"{GROUP}/memory.limit_in_bytes", "w").write("-1")
        subprocess.run(["swapoff", path], check=False)


def read_and_sign():
    has("rules-scroll")
    time.sleep(0.5)
    box = has("rules-scroll")
    point(STAFF, box[0] + box[2] / 2, box[1] + box[3] / 2)
    for _ in range(8):
        run("xdotool", "click", "--repeat", "25", "--delay", "8", "5")
        time.sleep(0.2)
    click("rules-name")
    keys(OPERATOR)
    click("rules-sign")


def key_on_screen():
    box = has("sheet-key")
    inside = lambda b: box[0] <= b[0] <= box[0] + box[2] and box[1] <= b[1] <= box[1] + box[3]
    groups = [(b[1], b[0], text) for text, b in widgets()[STAFF]["texts"] if inside(b) and len(text) == 5]
    return "-".join(text for _, _, text in sorted(groups))


def unlock(passphrase):
    click("unlock-passphrase")
    keys(passphrase)
    press("Return")


cores = os.path.join(work, "cores")
os.makedirs(cores)


def may_dump():
    os.chdir(cores)
    if grouped:
        open(f"{GROUP}/cgroup.procs", "w").write(str(os.getpid()))
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


grouped = own_group()
data = os.path.join(work, "desk")
image = disk_image(data)
environment = dict(os.environ, MENKA_WIDGETS=widgets_file)
# The data folder is below the file system's root: its own folder has the rights that the desk sets.
desk = os.path.join(data, "data")
menka = subprocess.Popen([PROGRAM, "--data", desk, "--staff-at", "0,0,1366x768"], env=environment, preexec_fn=may_dump,
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
try:
    click("first-operator")
    keys(OPERATOR)
    click("first-passphrase")
    keys(PASSPHRASE)
    click("first-repeat")
    keys(PASSPHRASE)
    for step in ("first-next", "first-next", "first-create"):
        click(step)
    has("sheet-key")
    time.sleep(1)
    SECRETS["recovery key"] = key_on_screen()
    if len(SECRETS["recovery key"]) != 47:
        sys.exit("the recovery key cannot be read off the screen")
    click("sheet-tick")
    click("sheet-done")
    read_and_sign()
    click("home-add")
    click("form-name")
    keys(NAME)
    click("form-unit")
    keys(FLAT)
    click("form-ends-on")
    press("ctrl+a")
    keys(time.strftime("%Y-%m-%d", time.localtime(time.time() + 200 * 86400)))
    click("form-save")
    time.sleep(2)
    needles = {what: shapes(text) for what, text in SECRETS.items()}

    keys_there = vault_keys(desk)
    needles.update(keys_there)
    found = hits(regions(menka.pid), needles)
    tell("memory, a record open", found, False)
    if keys_there and not any(found[what][0] for what in keys_there):
        failures.append("memory, a record open: no key is found where one must be: the search is blind")
    if grouped:
        swapped(menka.pid, needles)

    # The search of the swap file may have taken so long that the desk locked itself.
    if "unlock-passphrase" not in widgets().get(STAFF, {}).get("ids", {}):
        click("lock")
    has("unlock-passphrase")
    unlock(WRONG)
    time.sleep(3)
    click("unlock-passphrase")
    time.sleep(2)
    # Behind a shut window the vault stays open, so that residents can withdraw: its keys are there, and with them every name is to be had.
    shut = hits(regions(menka.pid), needles)
    stays = {what: shut.pop(what) for what in ("resident's name", *keys_there)}
    tell("memory, window shut", shut)
    tell("memory, window shut", stays, False)
    click("unlock-close")
    has("unlock-recover")
    time.sleep(2)
    tell("memory, desk closed", hits(regions(menka.pid), needles))

    # What another program of the same account may read.
    for what in ("mem", "environ"):
        code = f"import os; os.setgid(65534); os.setuid(65534); open('/proc/{menka.pid}/{what}', 'rb').read(1)"
        refused = subprocess.run([sys.executable, "-c", code], capture_output=True).returncode != 0
        print(f"theft other accounts: {what} {'refused' if refused else 'readable'}", flush=True)
        if not refused:
            failures.append(f"other accounts: {what}")

    os.sync()
    everything = list(files_of(desk))
    for name, content in everything:
        tell(f"file {name} alone", hits([(name, content)], needles))
    tell("all files together", hits(everything, needles))
    staff = sum(content.count(OPERATOR.encode()) for _, content in everything)
    print(f"theft all files together: names of staff accounts {'found' if staff else 'absent'} (lock screen)", flush=True)

    # A crash.
    menka.send_signal(signal.SIGABRT)
    menka.wait(timeout=30)
    dumps = [path for path in os.listdir(cores)]
    size = sum(os.path.getsize(os.path.join(cores, path)) for path in dumps)
    print(f"theft core dump: {'none' if size == 0 else f'{size} bytes'}", flush=True)
    where = open("/proc/sys/kernel/core_pattern").read().strip()
    if size:
        dumped = [(path, open(os.path.join(cores, path), "rb").read()) for path in dumps]
        tell("core dump", hits(dumped, needles))
    elif where.startswith("|"):
        not_run.append(f"core dump: the kernel hands dumps to {where.split()[0]}")

    if image:
        run("umount", data)
        with open(image, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as disk:
            tell("disk image", hits([("disk", disk[:])], needles))
        image = None
finally:
    if menka.poll() is None:
        menka.kill()
        menka.wait()
    if image:
        subprocess.run(["umount", "-l", data], check=False)
    shutil.rmtree(work, ignore_errors=True)
    try:
        os.rmdir(GROUP)
    except OSError:
        pass
for reason in not_run:
    print(f"not run: {reason}")
for failure in failures:
    print(f"theft learned: {failure}")
print(f"theft places with secrets in them: {len(failures)}")
sys.exit(1 if failures else 0)
