#!/usr/bin/env python3
"""Tries the resident window as a new user would, with a real mouse under Xvfb: how many taps and seconds it takes to refuse, to consent and to
withdraw, from the resident window alone.

Usage: resident.py MENKA-PROGRAM SHOTS-FOLDER. Run it by `MENKA_GUI_SCRIPT=resident.py packaging/setup/gui.sh`. A tap is one click on the
resident window; a card tap and turning the wheel are counted apart. The seconds are those of the machine and of a hand that needs 0.65 s a tap:
reading takes what it takes, and is not in them.
"""
import os
import shutil
import subprocess
import sys
import tempfile
import time

from windows import RESIDENT, STAFF, TOOLS, point, read_widgets, run

PROGRAM, SHOTS = sys.argv[1], sys.argv[2]
work = tempfile.mkdtemp(prefix="menka-resident-")
widgets_file = os.path.join(work, "widgets")
taps, cards, wheels = 0, 0, 0


def widgets():
    return read_widgets(widgets_file)


def has(window, name, limit=60.0):
    end = time.time() + limit
    while time.time() < end:
        box = widgets().get(window, {}).get("ids", {}).get(name)
        if box:
            return box
        time.sleep(0.05)
    run("import", "-window", "root", os.path.join(SHOTS, "failed.png"))
    sys.exit(f"waited in vain for {name} in {window}; there: {sorted(widgets().get(window, {}).get('ids', {}))}")


def click(window, name):
    global taps, cards
    has(window, name)
    time.sleep(0.35)  # what was just drawn may still move
    box = has(window, name)
    point(window, box[0] + box[2] / 2, box[1] + box[3] / 2)
    run("xdotool", "click", "1")
    time.sleep(0.2)
    if window == RESIDENT:
        taps += 1
    elif name.startswith("tool-card"):
        cards += 1


def read_to_the_end():
    """Turns the wheel until the end was on screen, and goes on."""
    global wheels, taps
    for _ in range(80):
        box = widgets()[RESIDENT]["box"]
        point(RESIDENT, box[2] / 2, box[3] / 2)
        run("xdotool", "click", "--repeat", "25", "--delay", "8", "5")
        wheels += 1
        time.sleep(0.3)
        before = taps
        click(RESIDENT, "continue")
        if "page-consent" in widgets()[RESIDENT]["ids"]:
            taps = before + 1
            return
        taps = before
    sys.exit("the notice has no end")


def sign():
    global taps
    pad = has(RESIDENT, "sign-pad")
    point(RESIDENT, pad[0] + pad[2] * 0.3, pad[1] + pad[3] * 0.6)
    run("xdotool", "mousedown", "1")
    for step in range(1, 8):
        point(RESIDENT, pad[0] + pad[2] * (0.3 + 0.05 * step), pad[1] + pad[3] * (0.6 - 0.25 * (step % 3) / 3))
    run("xdotool", "mouseup", "1")
    taps += 1  # the stroke


def measured(what, act):
    global taps, cards, wheels
    taps = cards = wheels = 0
    begun = time.time()
    act()
    print(f"taps to {what}: {taps}", flush=True)
    print(f"card taps to {what}: {cards}", flush=True)
    print(f"seconds to {what}: {time.time() - begun:.1f}", flush=True)
    run("import", "-window", "root", os.path.join(SHOTS, f"{what.replace(' ', '-')}.png"))


def refuse():
    click(RESIDENT, "ask-face")
    click(TOOLS, "tool-card-0")
    has(RESIDENT, "page-notice")
    click(RESIDENT, "no")
    has(RESIDENT, "page-refused")


def leave():
    click(RESIDENT, "ask-face")
    click(TOOLS, "tool-card-0")
    has(RESIDENT, "page-notice")
    click(RESIDENT, "back")
    has(RESIDENT, "page-idle")


def consent():
    click(RESIDENT, "ask-face")
    click(TOOLS, "tool-card-0")
    has(RESIDENT, "page-notice")
    read_to_the_end()
    click(RESIDENT, "tick")
    click(RESIDENT, "yes")
    has(RESIDENT, "page-sign")
    sign()
    click(RESIDENT, "sign-confirm")
    has(RESIDENT, "page-camera", 30)


def withdraw():
    click(RESIDENT, "ask-withdraw")
    click(TOOLS, "tool-card-0")
    has(RESIDENT, "page-withdraw")
    click(RESIDENT, "withdraw-confirm")
    has(RESIDENT, "page-withdrawn")


def rules():
    click(RESIDENT, "rules")
    has(RESIDENT, "page-rules")


os.makedirs(SHOTS, exist_ok=True)
log = open(os.path.join(SHOTS, "resident.log"), "w")
environment = dict(os.environ, MENKA_WIDGETS=widgets_file)
places = ["--staff-at", "0,0,1366x768", "--resident-at", "1380,0,1366x768"]
menka = subprocess.Popen([PROGRAM, "--practice", os.path.join(work, "practice"), *places], env=environment, stdout=log, stderr=log)
try:
    has(STAFF, "home-search", 120)
    tools = run("xdotool", "search", "--class", TOOLS).split()[-1]
    run("xdotool", "windowsize", tools, "420", "760")
    run("xdotool", "windowmove", tools, "40", "805")
    time.sleep(1)
    # The card comes first, at the staff window; from here on only the resident window and the card are touched.
    click(STAFF, "home-search")
    run("xdotool", "type", "--delay", "25", "1-101")
    run("xdotool", "key", "Return")
    click(STAFF, "home-row-0")
    click(STAFF, "look-card")
    has(STAFF, "card-issue")
    click(TOOLS, "tool-card-0")
    time.sleep(1.0)
    click(STAFF, "card-issue")
    time.sleep(4)
    click(TOOLS, "tool-seat-0")
    has(RESIDENT, "ask-face", 30)

    measured("open the rules", rules)
    click(RESIDENT, "contrast")
    click(RESIDENT, "letters-3")
    time.sleep(0.6)
    run("import", "-window", "root", os.path.join(SHOTS, "rules-dark-huge.png"))
    click(RESIDENT, "back")
    measured("leave undecided", leave)
    measured("refuse", refuse)
    click(RESIDENT, "back")
    measured("consent", consent)
    has(RESIDENT, "page-try", 60)
    click(RESIDENT, "skip")
    has(RESIDENT, "page-done", 60)
    click(RESIDENT, "copy")
    has(RESIDENT, "print-notice")
    time.sleep(0.5)
    run("import", "-window", "root", os.path.join(SHOTS, "papers.png"))
    click(RESIDENT, "finish")
    measured("withdraw", withdraw)
    click(RESIDENT, "back")

    # While the desk is closed the rules are open all the same.
    click(STAFF, "lock")
    click(STAFF, "unlock-close")
    has(RESIDENT, "page-closed")
    measured("open the rules of a locked desk", rules)
    click(RESIDENT, "back")
    has(RESIDENT, "page-closed")
finally:
    menka.terminate()
    try:
        menka.wait(timeout=10)
    except subprocess.TimeoutExpired:
        menka.kill()
    shutil.rmtree(work, ignore_errors=True)
