"""Hands and eyes for the scripts that click through the windows (gui.py, gui_real.py): where things are, clicking, typing, waiting, pictures.

Takes the arguments of the script that is run: MENKA-PROGRAM SHOTS-FOLDER. The program says where its buttons are (MENKA_WIDGETS, practice
builds only); everything is done by the mouse and the keyboard of the display.
"""
import os
import subprocess
import sys
import tempfile
import time

from windows import RESIDENT, STAFF, TOOLS, point, read_widgets, run

PROGRAM, SHOTS = sys.argv[1], sys.argv[2]
PLACES = ["--staff-at", "0,0,1366x768", "--resident-at", "1380,0,1366x768"]
# The window of the desktop's file dialog, which belongs to xdg-desktop-portal-gtk.
DIALOG = "xdg-desktop-portal-gtk"
# Every desk that was started, for the end of the script.
DESKS = []
work = tempfile.mkdtemp(prefix="menka-gui-")
widgets_file = os.path.join(work, "widgets")
os.makedirs(SHOTS, exist_ok=True)


def widgets():
    return read_widgets(widgets_file)


class Room:
    """Whether somebody is before the staff window: then the mouse moves now and again."""

    somebody_is_there = True
    moved_at = time.time()


def stay():
    """Somebody is there: a desk that nobody is at shuts its window, and on a slow machine a visit takes that long."""
    if Room.somebody_is_there and time.time() - Room.moved_at > 20 and STAFF in widgets():
        Room.moved_at = time.time()
        move(STAFF)


def wait(what, holds, limit=60.0):
    end = time.time() + limit
    while time.time() < end:
        answer = holds(widgets())
        if answer:
            return answer
        stay()
        time.sleep(0.1)
    shoot("failed")
    sys.exit(f"waited in vain for {what}; on screen: {[t for w in widgets().values() for t, _ in w['texts']]}")


def has(window, name, limit=60.0):
    return wait(f"{name} in {window}", lambda w: w.get(window, {}).get("ids", {}).get(name), limit)


def says(window, text, limit=60.0):
    return wait(f"the words {text}", lambda w: any(text in t for t, _ in w.get(window, {}).get("texts", [])), limit)


def click(window, name):
    stay()
    box = has(window, name)
    time.sleep(0.35)  # what was just drawn may still move
    box = has(window, name)
    point(window, box[0] + box[2] / 2, box[1] + box[3] / 2)
    run("xdotool", "click", "1")
    time.sleep(0.3)


def keys(text):
    run("xdotool", "type", "--delay", "25", text)
    time.sleep(0.2)


def press(key):
    run("xdotool", "key", key)
    time.sleep(0.3)


def move(window):
    """Somebody is at this window: the mouse moves a little."""
    box = widgets()[window]["box"]
    point(window, box[2] - 40, box[3] - 12)
    point(window, box[2] - 60, box[3] - 16)


def unlocked(passphrase):
    """Unlocks the staff window when it has locked itself meanwhile."""
    if "unlock-passphrase" in widgets()[STAFF]["ids"]:
        click(STAFF, "unlock-passphrase")
        keys(passphrase)
        press("Return")
    has(STAFF, "lock")


def read_and_sign(name):
    has(STAFF, "rules-scroll")
    time.sleep(0.5)
    box = has(STAFF, "rules-scroll")
    point(STAFF, box[0] + box[2] / 2, box[1] + box[3] / 2)
    for _ in range(8):
        run("xdotool", "click", "--repeat", "25", "--delay", "8", "5")
        time.sleep(0.2)
    click(STAFF, "rules-name")
    keys(name)
    click(STAFF, "rules-sign")


def key_on_screen(where="sheet-key"):
    """A printed key as its page shows it: the words of five signs among those of the key's box."""
    box = has(STAFF, where)
    inside = lambda b: box[0] <= b[0] <= box[0] + box[2] and box[1] <= b[1] <= box[1] + box[3]
    groups = [(b[1], b[0], text) for text, b in widgets()[STAFF]["texts"] if inside(b) and len(text) == 5]
    return "-".join(text for _, _, text in sorted(groups))


def shoot(name):
    time.sleep(0.4)
    run("import", "-window", "root", os.path.join(SHOTS, f"{name}.png"))


def memory_mb(pid):
    """The desk and its engine child, also when somebody watches them; the practice gates are programs of their own and do not count."""
    processes = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            stat = open(f"/proc/{entry}/stat").read().rsplit(")", 1)[1].split()
            name = open(f"/proc/{entry}/comm").read().strip()
            status = open(f"/proc/{entry}/status").read()
        except OSError:
            continue
        if "VmRSS:" in status:
            processes[int(entry)] = (int(stat[1]), name, int(status.split("VmRSS:")[1].split()[0]))

    def is_below(process):
        while process in processes and process != pid:
            process = processes[process][0]
        return process == pid

    return sum(kb for p, (_, name, kb) in processes.items() if name == "menka" and is_below(p)) / 1024


def ids(window):
    """What can be pressed or typed into on a window now."""
    return set(widgets().get(window, {}).get("ids", {}))


def roll_to(window, name, scroll):
    """Rolls a page until something is inside its window, and clicks it."""
    for _ in range(25):
        box, page = has(window, name), has(window, scroll)
        middle = box[1] + box[3] / 2
        if page[1] + 4 < middle < page[1] + page[3] - 4:
            return click(window, name)
        point(window, page[0] + page[2] / 2, page[1] + page[3] / 2)
        run("xdotool", "click", "--repeat", "4", "--delay", "10", "5" if middle > page[1] else "4")
        time.sleep(0.4)
    sys.exit(f"{name} cannot be reached by rolling")


def start(log, *words):
    """A desk in its windows; the place file of an earlier one is forgotten first."""
    if os.path.exists(widgets_file):
        os.remove(widgets_file)
    environment = dict(os.environ, MENKA_WIDGETS=widgets_file)
    DESKS.append(subprocess.Popen([PROGRAM, *words, *PLACES], env=environment, stdout=log, stderr=log))
    return DESKS[-1]


def end_desks():
    """Ends what still runs after a failure."""
    for desk in DESKS:
        if desk.poll() is None:
            desk.terminate()
            try:
                desk.wait(timeout=10)
            except subprocess.TimeoutExpired:
                desk.kill()


def close(menka):
    """Closes the staff window as a person does, and waits for the end of the program."""
    staff = run("xdotool", "search", "--class", STAFF).split()[-1]
    run("xdotool", "windowactivate", "--sync", staff)
    press("alt+F4")
    menka.wait(timeout=30)


def dialogs():
    """The windows of file dialogs that are open."""
    found = subprocess.run(["xdotool", "search", "--onlyvisible", "--class", DIALOG], capture_output=True, text=True, check=False)
    return found.stdout.split()


def answer_dialog(folder):
    """Types a folder into the desktop's file dialog and accepts it."""
    end = time.time() + 40
    while not (shown := dialogs()):
        if time.time() > end:
            shoot("failed")
            sys.exit("no file dialog was opened")
        time.sleep(0.2)
    time.sleep(1)
    run("xdotool", "windowactivate", "--sync", shown[-1])
    # Its first page, "Recent", has no folder to choose from: "Home" is the second line at the side.
    run("xdotool", "mousemove", "--window", shown[-1], "60", "75")
    run("xdotool", "click", "1")
    time.sleep(1)
    press("ctrl+l")
    press("ctrl+a")
    keys(folder)
    # What the dialog has completed by itself.
    press("Delete")
    shoot(f"dialog-{os.path.basename(folder)}")
    press("Return")
    for _ in range(50):
        time.sleep(0.2)
        if not dialogs():
            return
    shoot("failed")
    sys.exit("the file dialog did not close")
