#!/usr/bin/env python3
"""Clicks through what keeps a real desk's data, in real windows under Xvfb: the restore drill, new master keys, binding to a security chip and
releasing it, and a desk whose slots file is damaged.

Usage: keeping.py MENKA-PROGRAM SHOTS-FOLDER, by `MENKA_GUI_SCRIPT=keeping.py packaging/setup/gui.sh`. The gate is a process of its own on the
loopback, paired by the code that it shows; the chip is a TPM 2.0 in software (swtpm), which practice builds accept.
"""
import os
import shutil
import socket
import subprocess
import sys
import time

import gui_keep
from gui_real import LI, RESIDENT_NAME, WANG, add_resident, enter, first_run, second_supervisor
from hands import (
    PROGRAM, RESIDENT, SHOTS, STAFF, answer_dialog, click, close, end_desks, has, ids, keys, press, roll_to, says, shoot, start, wait, work,
)

DATA = os.path.join(work, "real")
# Processes beside the desk, for the end of the script.
BESIDE = []


def today():
    """The desk's day, which is that of its time zone and not of the machine's."""
    return time.strftime("%Y-%m-%d", time.gmtime(time.time() + 8 * 3_600))


class Gate:
    """A gate, a process of its own."""

    def __init__(self):
        self.program = os.path.join(os.path.dirname(PROGRAM), "menka-gate")
        self.folder = os.path.join(work, "gate")
        subprocess.run([self.program, "init", "--data", self.folder], check=True, stdout=log, stderr=log)
        words = [self.program, "run", "--data", self.folder, "--listen", "127.0.0.1:0"]
        running = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=log, text=True)
        BESIDE.append(running)
        self.address = running.stdout.readline().strip().removeprefix("listening: ")

    def pair(self):
        """Types its address and the code that it shows into the page of the gates."""
        console = subprocess.Popen([self.program, "pair", "--data", self.folder], stdout=subprocess.PIPE, stderr=log, text=True)
        BESIDE.append(console)
        code = next(line for line in console.stdout if line.startswith("code: ")).removeprefix("code: ").split(" (")[0]
        click(STAFF, "go-settings")
        click(STAFF, "settings-gates")
        click(STAFF, "pair-open")
        fields = [("address", self.address), ("code", code), ("name", "East gate"), ("place", "East path"), ("other-way", "Guard")]
        for field, text in fields:
            roll_to(STAFF, f"pair-{field}", "gates-scroll")
            keys(text)
        roll_to(STAFF, "pair-action", "gates-scroll")
        says(STAFF, "East gate")
        has(STAFF, "gate-test-0")
        shoot("01-gate-paired")
        click(STAFF, "go-home")


class Chip:
    """A computer's security chip in software."""

    def __init__(self, name):
        state = os.path.join(work, name)
        os.makedirs(state)
        port = free_pair()
        at = ["--server", f"type=tcp,port={port},bindaddr=127.0.0.1", "--ctrl", f"type=tcp,port={port + 1},bindaddr=127.0.0.1"]
        words = ["swtpm", "socket", "--tpm2", "--flags", "not-need-init,startup-clear", "--tpmstate", f"dir={state}", *at]
        self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        BESIDE.append(self.process)
        self.words = ("--security-chip", f"swtpm:host=127.0.0.1,port={port}")
        for _ in range(100):
            # The control port is asked: a connection to the other one would be taken for a command.
            with socket.socket() as there:
                if there.connect_ex(("127.0.0.1", port + 1)) == 0:
                    return
            time.sleep(0.05)
        sys.exit("swtpm does not start")


def free_pair():
    """Two free ports, one above the other."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port


def keep_page():
    """From any page to the one about backups and keys."""
    click(STAFF, "go-people")
    click(STAFF, "accounts-keep")
    has(STAFF, "keep-last")


def approve(name, passphrase):
    """The other supervisor approves; what is asked stands above the field."""
    has(STAFF, "approve")
    shoot(f"{name}-approve")
    click(STAFF, "approve-passphrase")
    keys(passphrase)
    press("Return")


def open_desk(*words):
    """Starts the desk on the same folder; it shows its door."""
    desk = start(log, "--data", DATA, *words)
    wait("the window", lambda w: STAFF in w and RESIDENT in w)
    return desk


def person_is_found():
    """Whoever was added is found by the unit, and the record opens."""
    click(STAFF, "go-home")
    has(STAFF, "home-search", 120)
    click(STAFF, "home-search")
    press("ctrl+a")
    keys("1-101")
    press("Return")
    click(STAFF, "home-row-0")
    click(STAFF, "look-here")
    says(STAFF, RESIDENT_NAME)
    click(STAFF, "go-home")
    has(STAFF, "home-search")


def drill(key, backup):
    """The backup is chosen in the file dialog and tried by its printed key, at first with a slip."""
    keep_page()
    says(STAFF, "还没有演练过恢复")
    click(STAFF, "keep-drill")
    answer_dialog(backup)
    says(STAFF, os.path.basename(backup))
    shoot("02-drill-chosen")
    click(STAFF, "keep-key")
    # One sign is another: its group is said beside the field, where everything else that was typed stays.
    keys(("0" if key[0] != "0" else "1") + key[1:].lower())
    click(STAFF, "keep-try")
    says(STAFF, "第 1 组输错了，请核对")
    shoot("02-drill-mistyped")
    press("Home")
    press("Delete")
    keys(key[0].lower())
    click(STAFF, "keep-try")
    says(STAFF, "演练成功", 180)
    says(STAFF, "，1 人")
    says(STAFF, f"演练恢复：{today()}")
    shoot("02-drilled")
    print("restore drills clicked through: 1", flush=True)


def new_master_keys(desk):
    """Another supervisor approves; people are found after it, and after the desk was closed and opened again. The desk that runs then."""
    keep_page()
    roll_to(STAFF, "keep-master-change", "keep-scroll")
    approve("03-master", LI)
    says(STAFF, "主密钥已更换，2 个账号", 180)
    shoot("03-master-changed")
    enter("Wang", WANG)
    person_is_found()
    close(desk)
    desk = open_desk()
    enter("Li", LI)
    person_is_found()
    keep_page()
    says(STAFF, f"上次更换：{today()}")
    shoot("03-master-after")
    print("master keys changed by clicks: 1", flush=True)
    return desk


def computer(desk):
    """Bound to one chip: opens with it, says why without it or with another, and is released. The desk that runs then."""
    says(STAFF, "没有可用的安全芯片")
    close(desk)
    own, other = Chip("own"), Chip("other")
    desk = open_desk(*own.words)
    enter("Li", LI)
    has(STAFF, "home-search", 120)
    keep_page()
    says(STAFF, "没有绑定")
    roll_to(STAFF, "keep-computer-bind", "keep-scroll")
    approve("04-bind", WANG)
    says(STAFF, "已绑定本机", 180)
    shoot("04-bound")
    enter("Li", LI)
    person_is_found()
    close(desk)
    for name, words, why in (("other", other.words, "绑定在另一块安全芯片上"), ("none", (), "找不到这台电脑的安全芯片")):
        desk = open_desk(*words)
        enter("Li", LI)
        says(STAFF, why)
        shoot(f"04-{name}-chip")
        if "home-search" in ids(STAFF):
            sys.exit("a bound vault opens without its chip")
        close(desk)
    desk = open_desk(*own.words)
    enter("Wang", WANG)
    person_is_found()
    keep_page()
    says(STAFF, "已绑定：")
    roll_to(STAFF, "keep-computer-release", "keep-scroll")
    approve("04-release", LI)
    says(STAFF, "已解除绑定", 180)
    shoot("04-released")
    close(desk)
    desk = open_desk()
    enter("Wang", WANG)
    person_is_found()
    print("bound to a security chip and released by clicks: 1", flush=True)
    return desk


def damaged_slots(desk, key, backup):
    """The slots file is damaged while the desk is closed: the first window says so and restores from the backup. The desk that runs then."""
    close(desk)
    path = os.path.join(DATA, "slots")
    with open(path, "r+b") as slots:
        for at in range(40, os.path.getsize(path), 97):
            slots.seek(at)
            byte = slots.read(1)[0]
            slots.seek(at)
            slots.write(bytes([byte ^ 0x55]))
    desk = open_desk()
    has(STAFF, "unlock-restore")
    says(STAFF, "文件损坏：slots")
    says(STAFF, "账号读不出来")
    if "unlock-passphrase" in ids(STAFF):
        sys.exit("a passphrase is asked for that cannot open anything")
    shoot("05-damaged")
    click(STAFF, "unlock-restore")
    click(STAFF, "keep-pick")
    answer_dialog(backup)
    click(STAFF, "keep-key")
    keys(key.lower())
    if asked := {"restore-who-1", "restore-recovery"} & ids(STAFF):
        sys.exit(f"nobody's slot can be read, and yet there is {asked}")
    shoot("05-restoring")
    roll_to(STAFF, "restore-action", "restore-scroll")
    says(STAFF, "已恢复", 180)
    shoot("05-restored")
    enter("Wang", WANG)
    person_is_found()
    keep_page()
    has(STAFF, "keep-restored")
    says(STAFF, "恢复以后还没有备份过")
    shoot("05-restored-keys")
    close(desk)
    desk = open_desk()
    enter("Li", LI)
    person_is_found()
    print("restored by clicks over a damaged slots file: 1", flush=True)
    return desk


log = open(os.path.join(SHOTS, "menka.log"), "w")
began = time.time()
try:
    gate = Gate()
    menka = start(log, "--data", DATA)
    first_run()
    add_resident()
    second_supervisor()
    gate.pair()
    backup_key, made = gui_keep.back_up([RESIDENT_NAME], WANG)
    drill(backup_key, made)
    menka = new_master_keys(menka)
    menka = computer(menka)
    menka = damaged_slots(menka, backup_key, made)
    close(menka)
    print(f"keeping clicked through, s: {time.time() - began:.0f}", flush=True)
finally:
    end_desks()
    for process in BESIDE:
        process.kill()
    shutil.rmtree(work, ignore_errors=True)
