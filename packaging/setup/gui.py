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

PROGRAM, SHOTS = sys.argv[1], sys.argv[2]
STAFF, RESIDENT, TOOLS = "menka-staff", "menka-resident", "menka-practice"
work = tempfile.mkdtemp(prefix="menka-gui-")
widgets_file = os.path.join(work, "widgets")
os.makedirs(SHOTS, exist_ok=True)


def run(*words):
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def widgets():
    """{window: {"ids": {id: box}, "texts": [(text, box)]}} as last told."""
    found, window = {}, None
    try:
        lines = open(widgets_file, encoding="utf-8").read().splitlines()
    except FileNotFoundError:
        return {}
    for line in lines:
        kind, what, box = line.split("\t")
        box = [float(n) for n in box.split()]
        if kind == "id" and what in (STAFF, RESIDENT, TOOLS):
            window = found.setdefault(what, {"ids": {}, "texts": [], "box": box})
        elif window is not None and kind == "id":
            window["ids"].setdefault(what, box)
        elif window is not None:
            window["texts"].append((what, box))
    return found


def wait(what, holds, limit=60.0):
    end = time.time() + limit
    while time.time() < end:
        answer = holds(widgets())
        if answer:
            return answer
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


def point(window, x, y):
    wid = run("xdotool", "search", "--class", window).split()[-1]
    run("xdotool", "windowactivate", "--sync", wid)
    run("xdotool", "mousemove", "--window", wid, str(round(x)), str(round(y)))
    time.sleep(0.1)


def keys(text):
    run("xdotool", "type", "--delay", "25", text)
    time.sleep(0.2)


def press(key):
    run("xdotool", "key", key)
    time.sleep(0.3)


def shoot(name):
    time.sleep(0.4)
    run("import", "-window", "root", os.path.join(SHOTS, f"{name}.png"))


def memory_mb(pid):
    """The desk and its engine child; the practice gates are processes of their own and do not count."""
    total = 0
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            stat = open(f"/proc/{entry}/stat").read().rsplit(")", 1)[1].split()
            line = open(f"/proc/{entry}/cmdline").read()
            status = open(f"/proc/{entry}/status").read()
        except OSError:
            continue
        if int(entry) == pid or (int(stat[1]) == pid and "--face-engine" in line):
            total += int(status.split("VmRSS:")[1].split()[0])
    return total / 1024


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
    if not os.path.exists(os.path.join(real, "vault.db")):
        sys.exit("no vault was made")
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
