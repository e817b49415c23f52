"""A backup into a folder and its restore, each chosen in the desktop's own file dialog. Called by gui.py."""
import os
import sys
import time

from hands import STAFF, answer_dialog, click, has, key_on_screen, keys, press, roll_to, says, shoot, widgets, work


def back_up(names, passphrase):
    """A backup key, and a backup into a folder that is chosen in the desktop's file dialog. The key and where the backup is."""
    click(STAFF, "go-people")
    click(STAFF, "accounts-keep")
    roll_to(STAFF, "keep-key-make", "keep-scroll")
    has(STAFF, "keep-sheet-key")
    time.sleep(0.5)
    key = key_on_screen("keep-sheet-key")
    if len(key) != 47:
        sys.exit(f"the backup sheet shows {len(key)} signs")
    roll_to(STAFF, "keep-sheet-tick", "keep-sheet-scroll")
    roll_to(STAFF, "keep-sheet-done", "keep-sheet-scroll")
    into = os.path.join(work, "stick")
    os.makedirs(into)
    roll_to(STAFF, "keep-back-up", "keep-scroll")
    answer_dialog(into)
    end = time.time() + 120
    while not (made := [name for name in os.listdir(into) if name.startswith("menka-backup-")]):
        if time.time() > end:
            shoot("failed")
            sys.exit("no backup was made")
        time.sleep(0.3)
    says(STAFF, made[0])
    shoot("23-backed-up")
    backup = os.path.join(into, made[0])
    for folder, _, names in os.walk(backup):
        for name in names:
            with open(os.path.join(folder, name), "rb") as held:
                content = held.read()
            if any(word.encode() in content for word in (*names, key, passphrase)) or content.startswith(b"SQLite format 3"):
                sys.exit(f"{name} of the backup can be read without its key")
    print(f"backup made through the file dialog, files: {sum(len(names) for _, _, names in os.walk(backup))}", flush=True)
    click(STAFF, "go-home")
    return key, backup


def restore(key, backup, passphrase, unit, name):
    """The backup is chosen in the file dialog on the closed desk and opened by the printed key; with a gate's half, names open again."""
    click(STAFF, "lock")
    click(STAFF, "unlock-close")
    click(STAFF, "unlock-restore")
    click(STAFF, "keep-pick")
    answer_dialog(backup)
    click(STAFF, "keep-key")
    keys(key.lower())
    # A vault is there: its two supervisors must allow that it is put aside.
    for who in ("restore-who-1", "restore-who-2"):
        roll_to(STAFF, who, "restore-scroll")
        keys(passphrase)
    roll_to(STAFF, "restore-action", "restore-scroll")
    has(STAFF, "unlock-passphrase", 180)
    shoot("16-restored")
    click(STAFF, "unlock-passphrase")
    keys(passphrase)
    press("Return")
    has(STAFF, "home-search", 120)
    end = time.time() + 60
    while True:
        click(STAFF, "home-search")
        press("ctrl+a")
        keys(unit)
        press("Return")
        time.sleep(1)
        if any(name in text for text, _ in widgets()[STAFF]["texts"]):
            break
        if time.time() > end:
            shoot("failed")
            sys.exit("the restored desk does not find who lives there")
    click(STAFF, "go-people")
    click(STAFF, "accounts-keep")
    has(STAFF, "keep-restored")
    shoot("16-restored-keys")
    print("backups restored through the file dialog: 1", flush=True)
    click(STAFF, "go-home")
