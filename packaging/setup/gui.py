#!/usr/bin/env python3
"""Clicks through the practice site in real windows under Xvfb, as people would, then through a real desk's first day (gui_real.py), and keeps
screenshots.

Usage: gui.py MENKA-PROGRAM SHOTS-FOLDER. Needs DISPLAY with a window manager, xdotool and import (ImageMagick); file dialogs need a D-Bus
session with xdg-desktop-portal (gui.sh starts one).

A card board in software (`menka-gate --practice-board`) is part of the day: on the loopback, or where MENKA_GUI_BOARD says (ip:port), run by the
words of MENKA_GUI_BOARD_BY (network.sh puts it behind an interface of its own).
"""
import os
import shutil
import subprocess
import sys
import time

import gui_keep
import gui_real
from hands import (
    PROGRAM, RESIDENT, SHOTS, STAFF, TOOLS, close, click, end_desks, has, keys, memory_mb, move, point, press, roll_to, run, shoot, start, unlocked, wait,
    widgets, work,
)

# Of the practice site; the tools window shows it too.
PASSPHRASE = "practice-practice"


class Board:
    """A card board in software, a process of its own."""

    SERIAL = "405419896"

    def __init__(self):
        gate = os.environ.get("MENKA_GUI_GATE") or os.path.join(os.path.dirname(PROGRAM), "menka-gate")
        words = [*os.environ.get("MENKA_GUI_BOARD_BY", "").split(), gate, "--practice-board", "--serial", self.SERIAL]
        words += ["--listen", os.environ.get("MENKA_GUI_BOARD", "127.0.0.1:0")]
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.address = self.process.stdout.readline().strip().removeprefix("listening: ")

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def waits_for(self, question, answer, limit=60):
        """What the board itself says, which is not what the desk says of it."""
        end = time.time() + limit
        while (said := self.tell(question)) != answer:
            if time.time() > end:
                shoot("failed")
                sys.exit(f"the board says {said!r} to {question!r} and not {answer!r}")
            time.sleep(0.3)


log = open(os.path.join(SHOTS, "menka.log"), "w")
board = Board()
started = time.time()
menka = start(log, "--practice", os.path.join(work, "practice"))
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

    # A card board: added by its address and serial number; cards only, and its page says so.
    click(STAFF, "go-settings")
    click(STAFF, "settings-boards")
    click(STAFF, "board-open")
    for field, text in (("name", "Garage"), ("place", "North"), ("address", board.address), ("serial", board.SERIAL)):
        click(STAFF, f"board-{field}")
        keys(text)
    roll_to(STAFF, "board-add", "boards-scroll")
    has(STAFF, "board-open-0-1")
    shoot("01-board")
    click(STAFF, "go-home")

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
    board.waits_for("cards", "1")
    # A door of the board is opened once, from the desk; the question before it is answered with yes.
    click(STAFF, "go-settings")
    click(STAFF, "settings-boards")
    roll_to(STAFF, "board-open-0-1", "boards-scroll")
    roll_to(STAFF, "board-yes", "boards-scroll")
    board.waits_for("opened 1", "1")
    shoot("04-board-opened")

    # Face entry begins on the resident window only, with the person's own card.
    click(TOOLS, "tool-seat-0")
    click(RESIDENT, "ask-face")
    has(RESIDENT, "page-tap")
    shoot("05-tap-card")
    click(TOOLS, "tool-card-0")
    has(RESIDENT, "page-notice")
    shoot("06-notice")
    # Read aloud: whether there is a voice or not, the service is asked for at its socket and nowhere else.
    click(RESIDENT, "read")
    time.sleep(3)
    shoot("06-read-aloud")
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
    # Printed, or said that there is no printer: at the printing system's socket and nowhere else.
    click(RESIDENT, "copy")
    click(RESIDENT, "print-notice")
    time.sleep(3)
    shoot("12-print")
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
    unlocked(PASSPHRASE)
    move(STAFF)

    # A backup to a folder, and restored from it, by the file dialogs of the desktop.
    key, backup = gui_keep.back_up(["王小明"], PASSPHRASE)
    gui_keep.restore(key, backup, PASSPHRASE, "1-101", "王**")

    # Lock, and open again with the practice passphrase typed by hand.
    click(STAFF, "lock")
    has(STAFF, "unlock-passphrase")
    shoot("17-locked")
    click(STAFF, "unlock-passphrase")
    keys(PASSPHRASE)
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
    close(menka)

    gui_real.day(log)
    print("windows clicked through: 2", flush=True)
finally:
    board.process.kill()
    end_desks()
    shutil.rmtree(work, ignore_errors=True)
