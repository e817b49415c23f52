"""What the scripts that click through real windows share: where the buttons are (MENKA_WIDGETS, practice builds only), and the mouse."""
import subprocess
import time

STAFF, RESIDENT, TOOLS = "menka-staff", "menka-resident", "menka-practice"


def run(*words):
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


def read_widgets(path):
    """{window: {"ids": {id: box}, "texts": [(text, box)], "box": box}} as last told."""
    found, window = {}, None
    try:
        lines = open(path, encoding="utf-8").read().splitlines()
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


def point(window, x, y):
    wid = run("xdotool", "search", "--class", window).split()[-1]
    run("xdotool", "windowactivate", "--sync", wid)
    run("xdotool", "mousemove", "--window", wid, str(round(x)), str(round(y)))
    time.sleep(0.1)
