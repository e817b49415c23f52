#!/usr/bin/env python3
"""Clicks through the practice site in real windows under Xvfb, as people would, and keeps screenshots.

Usage: gui.py MENKA-PROGRAM SHOTS-FOLDER. Needs DISPLAY with a window manager, xdotool and import (ImageMagick). The program says where its
buttons are (MENKA_WIDGETS, practice builds only); everything is done by the mouse and the keyboard of the display.
"""
import os
import shutil
import subprocess
import sys
import tempfile
import time

from windows import RESIDENT, STAFF, TOOLS, point, read_widgets, run

PROGRAM, SHOTS = sys.argv[1], sys.argv[2]
work = tempfile.mkdtemp(prefix="menka-gui-")
widgets_file = os.path.join(work, "widgets")
os.makedirs(SHOTS, exist_ok=True)


def widgets():
    return read_widgets(widgets_file)


somebody_is_there = True


def wait(what, holds, limit=60.0):
    end, moved = time.time() + limit, time.time()
    while time.time() < end:
        answer = holds(widgets())
        if answer:
            return answer
        if somebody_is_there and time.time() - moved > 20 and STAFF in widgets():
            # A desk that nobody is at locks itself; on a slow machine one step may take that long.
            moved = time.time()
            move(STAFF)
        time.sleep(0.1)
    shoot("failed")
    sys.exit(f"waited in vain for {what}; on screen: {[t for w in widgets().values() for t, _ in w['texts']]}")


def has(window, name, limit=60.0):
    return wait(f"{name} in {window}", lambda w: w.get(window, {}).get("ids", {}).get(name), limit)


def says(window, text, limit=60.0):
    return wait(f"the words {text}", lambda w: any(text in t for t, _ in w.get(window, {}).get("texts", [])), limit)


def click(window, name):
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


def key_on_screen():
    """The recovery key as its page shows it: the words of five signs among those of the key's box."""
    box = has(STAFF, "sheet-key")
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


started = time.time()
environment = dict(os.environ, MENKA_WIDGETS=widgets_file)
site = os.path.join(work, "practice")
log = open(os.path.join(SHOTS, "menka.log"), "w")
places = ["--staff-at", "0,0,1366x768", "--resident-at", "1380,0,1366x768"]
menka = subprocess.Popen([PROGRAM, "--practice", site, *places], env=environment, stdout=log, stderr=log)
try:
    wait("the windows", lambda w: STAFF in w and RESIDENT in w and TOOLS in w)
    print(f"start to first window ms: {(time.time() - started) * 1000:.0f}", flush=True)
    has(STAFF, "home-search", 120)
    print(f"start to usable desk ms: {(time.time() - started) * 1000:.0f}", flush=True)
    tools = run("xdotool", "search", "--class", TOOLS).split()[-1]
    run("xdotool", "windowsize", tools, "420", "760")
    run("xdotool", "windowmove", tools, "40", "805")
    time.sleep(1)
    shoot("01-home")

    # Card first: find by unit, open, put a card on the reader, issue.
    click(STAFF, "home-search")
    keys("1-101")
    press("Return")
    click(STAFF, "home-row-0")
    click(STAFF, "look-here")
    has(STAFF, "card-issue")
    shoot("02-resident-page")
    click(TOOLS, "tool-card-0")
    time.sleep(1.0)
    shoot("03-card-read")
    click(STAFF, "card-issue")
    time.sleep(4)  # both gates sign within a courier's round
    shoot("04-card-issued")

    # Face entry begins on the resident window only, with the person's own card.
    click(TOOLS, "tool-seat-0")
    click(RESIDENT, "ask-face")
    has(RESIDENT, "page-tap")
    shoot("05-tap-card")
    click(TOOLS, "tool-card-0")
    has(RESIDENT, "page-notice")
    shoot("06-notice")
    click(RESIDENT, "language")
    time.sleep(1)
    shoot("07-notice-english")
    click(RESIDENT, "language")
    has(RESIDENT, "page-notice")
    # "Continue" does nothing before the end.
    click(RESIDENT, "continue")
    if "page-notice" not in widgets()[RESIDENT]["ids"]:
        sys.exit("continue worked before the end of the notice")
    for _ in range(60):
        box = widgets()[RESIDENT]["box"]
        point(RESIDENT, box[2] / 2, box[3] / 2)
        run("xdotool", "click", "--repeat", "25", "--delay", "8", "5")
        time.sleep(0.25)
        click(RESIDENT, "continue")
        time.sleep(0.3)
        if "page-consent" in widgets()[RESIDENT]["ids"]:
            break
    has(RESIDENT, "page-consent", 5)
    shoot("08-consent")
    # "Yes" does nothing before the tick.
    click(RESIDENT, "yes")
    if "page-consent" not in widgets()[RESIDENT]["ids"]:
        sys.exit("yes worked before the tick")
    click(RESIDENT, "tick")
    click(RESIDENT, "yes")
    has(RESIDENT, "page-sign")
    pad = has(RESIDENT, "sign-pad")
    point(RESIDENT, pad[0] + pad[2] * 0.3, pad[1] + pad[3] * 0.6)
    run("xdotool", "mousedown", "1")
    for step in range(1, 12):
        x = pad[0] + pad[2] * (0.3 + 0.035 * step)
        y = pad[1] + pad[3] * (0.6 - 0.25 * (step % 3) / 3)
        point(RESIDENT, x, y)
    run("xdotool", "mouseup", "1")
    shoot("09-signature")
    click(RESIDENT, "sign-confirm")
    has(RESIDENT, "page-camera", 30)
    print(f"station resident memory MB while capturing: {memory_mb(menka.pid):.0f}", flush=True)
    shoot("10-camera")
    has(RESIDENT, "page-try", 60)
    shoot("11-try")
    click(RESIDENT, "try")
    has(RESIDENT, "page-done", 60)
    shoot("12-done")
    click(RESIDENT, "finish")
    has(RESIDENT, "page-idle")
    shoot("13-face-held")

    # A stranger to the desk: an unknown card.
    click(RESIDENT, "ask-face")
    click(TOOLS, "tool-card-7")
    time.sleep(1.5)
    shoot("14-unknown-card")
    click(RESIDENT, "back")

    # Withdraw and delete.
    click(RESIDENT, "ask-withdraw")
    click(TOOLS, "tool-card-0")
    has(RESIDENT, "page-withdraw")
    shoot("15-withdraw")
    click(RESIDENT, "withdraw-confirm")
    has(RESIDENT, "page-withdrawn")
    time.sleep(3)
    shoot("16-withdrawn")
    click(RESIDENT, "back")

    # Nobody was at the staff window for a minute: it may have locked itself, and is opened again.
    unlocked("practice-practice")
    move(STAFF)

    # Lock, and open again with the practice passphrase typed by hand.
    click(STAFF, "lock")
    has(STAFF, "unlock-passphrase")
    shoot("17-locked")
    click(STAFF, "unlock-passphrase")
    keys("practice-practice")
    press("Return")
    has(STAFF, "home-search")
    click(STAFF, "go-settings")
    time.sleep(1)
    shoot("18-settings")
    # Looking for gates that wait to be paired, on this machine itself, where the practice gates run; then no more.
    click(STAFF, "settings-gates")
    click(STAFF, "pair-open")
    time.sleep(1.5)
    if "pair-lan-127.0.0.1" in widgets()[STAFF]["ids"]:
        click(STAFF, "pair-lan-127.0.0.1")
    time.sleep(3)
    shoot("18b-pairing")
    click(STAFF, "pair-open")
    staff = run("xdotool", "search", "--class", STAFF).split()[-1]
    run("xdotool", "windowactivate", "--sync", staff)
    press("alt+F4")
    menka.wait(timeout=30)

    # A real desk, from nothing: first run, then card-only with the reasons said, locked and unlocked again.
    os.remove(widgets_file)
    real = os.path.join(work, "real")
    menka = subprocess.Popen([PROGRAM, "--data", real, *places], env=environment, stdout=log, stderr=log)
    click(STAFF, "first-operator")
    keys("Li")
    click(STAFF, "first-passphrase")
    keys("correct horse battery")
    click(STAFF, "first-repeat")
    keys("correct horse battery")
    shoot("19-first-run")
    click(STAFF, "first-next")
    click(STAFF, "first-next")
    shoot("20-first-run-done")
    click(STAFF, "first-create")
    # The recovery key is shown once, then the internal rules are read and signed; before that nothing is done here.
    has(STAFF, "sheet-key")
    time.sleep(1)
    shoot("20-recovery-sheet")
    recovery = key_on_screen()
    if len(recovery) != 47:
        sys.exit(f"the sheet shows {len(recovery)} signs")
    click(STAFF, "sheet-tick")
    click(STAFF, "sheet-done")
    has(STAFF, "rules-scroll")
    shoot("20-rules")
    read_and_sign("Li")
    has(STAFF, "home-search")
    if "ask-face" in widgets()[RESIDENT]["ids"]:
        sys.exit("a real site offers face entry although its conditions are not checked")
    click(STAFF, "home-why")
    time.sleep(1)
    shoot("21-why-card-only")
    press("ctrl+l")
    has(STAFF, "unlock-passphrase")
    keys("wrong passphrase")
    press("Return")
    time.sleep(2)
    shoot("22-wrong-passphrase")
    click(STAFF, "unlock-passphrase")
    keys("correct horse battery")
    press("Return")
    has(STAFF, "home-search")

    # An operator's day: a second supervisor, hand-over, the countdown, the window that shuts itself, ten wrong passphrases, recovery.
    click(STAFF, "go-people")
    click(STAFF, "accounts-add")
    click(STAFF, "account-name")
    keys("Wang")
    click(STAFF, "account-role-supervisor")
    click(STAFF, "account-passphrase")
    keys("staple battery horse")
    click(STAFF, "account-repeat")
    keys("staple battery horse")
    press("Tab")
    keys(time.strftime("%Y-%m-%d"))
    press("Return")
    has(STAFF, "account-row-1")
    shoot("23-people")
    click(STAFF, "lock")
    handed_over = time.time()
    click(STAFF, "unlock-account-1")
    keys("staple battery horse")
    press("Return")
    has(STAFF, "rules-scroll")
    took = time.time() - handed_over
    print(f"hand-over, mouse and keyboard included, s: {took:.1f}", flush=True)
    assert took < 15, "a shift is handed over in seconds"
    read_and_sign("Wang")
    has(STAFF, "home-search")
    print("waiting a minute for the idle lock", flush=True)
    somebody_is_there = False
    has(STAFF, "locks-in", 70)
    shoot("24-countdown")
    move(STAFF)
    wait("the countdown to end", lambda w: "locks-in" not in w[STAFF]["ids"], 5)
    has(STAFF, "unlock-passphrase", 75)
    somebody_is_there = True
    shoot("25-locked-by-itself")
    for n in range(10):
        wait("the pause", lambda w: "unlock-wait" not in w[STAFF]["ids"], 70)
        click(STAFF, "unlock-passphrase")
        keys("wrong passphrase")
        press("Return")
        time.sleep(1.2)
    has(STAFF, "unlock-wait")
    shoot("26-ten-wrong-passphrases")
    # The shut window lets no key in; the closed desk does.
    click(STAFF, "unlock-close")
    click(STAFF, "unlock-recover")
    has(STAFF, "recover-key")
    click(STAFF, "recover-key")
    keys(recovery.lower())
    click(STAFF, "recover-new")
    keys("another long passphrase")
    click(STAFF, "recover-repeat")
    keys("another long passphrase")
    shoot("27-recovery")
    press("Return")
    has(STAFF, "sheet-key")
    if key_on_screen() == recovery:
        sys.exit("the recovery key that was used is still good")
    shoot("28-recovered")
    click(STAFF, "sheet-tick")
    click(STAFF, "sheet-done")
    has(STAFF, "home-search")
    if not os.path.exists(os.path.join(real, "vault.db")):
        sys.exit("no vault was made")
    # What was typed is in no argument and no environment, and no crash would write it down.
    typed = ["correct horse battery", "staple battery horse", "another long passphrase", recovery]
    for what in ("environ", "cmdline"):
        with open(f"/proc/{menka.pid}/{what}", "rb") as held:
            content = held.read()
        if any(secret.encode() in content for secret in typed):
            sys.exit(f"a secret is in {what}")
    with open(f"/proc/{menka.pid}/limits") as limits:
        core = next(line.split()[4] for line in limits if line.startswith("Max core file size"))
    if core not in ("0", "1"):
        sys.exit(f"a crash would be written down: core file size {core}")
    print("secrets in arguments and environment: 0", flush=True)
    run("xdotool", "windowactivate", "--sync", run("xdotool", "search", "--class", STAFF).split()[-1])
    press("alt+F4")
    menka.wait(timeout=30)
    print("windows clicked through: 2", flush=True)
finally:
    if menka.poll() is None:
        menka.terminate()
        try:
            menka.wait(timeout=10)
        except subprocess.TimeoutExpired:
            menka.kill()
    shutil.rmtree(work, ignore_errors=True)
