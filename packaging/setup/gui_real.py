"""The first day of a real desk, clicked through: first run, a second supervisor, what the other roles see, the window that shuts
itself, wrong passphrases, recovery. Called by gui.py."""
import os
import sys
import time

from hands import (
    RESIDENT, STAFF, Room, click, close, has, ids, key_on_screen, keys, move, point, press, read_and_sign, roll_to, run, says, shoot, start, wait,
    widgets, work,
)

LI, WANG = "correct horse battery", "staple battery horse"
ZHAO, QIAN = "yard lantern copper", "river paper saddle"
# A resident of the real desk, whom neither the technician nor the auditor may see.
RESIDENT_NAME = "Fang Yuanming"


def day(log):
    """All of it, in order."""
    real = os.path.join(work, "real")
    menka = start(log, "--data", real)
    recovery = first_run()
    add_resident()
    second_supervisor()
    add_account("Zhao", "technician", ZHAO, 2)
    add_account("Qian", "auditor", QIAN, 3)
    technician()
    auditor()
    hand_over_to("Wang", WANG)
    notice_after_hand_over()
    wait_and_recover(recovery)
    no_secrets(menka, real, recovery)
    close(menka)


def first_run():
    """First run, then card-only with the reasons said, locked and unlocked again. The recovery key."""
    click(STAFF, "first-operator")
    keys("Li")
    click(STAFF, "first-passphrase")
    keys(LI)
    click(STAFF, "first-repeat")
    keys(LI)
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
    keys(LI)
    press("Return")
    has(STAFF, "home-search")
    return recovery


def add_resident():
    """Somebody lives here, so that there is somebody whom others must not see."""
    click(STAFF, "home-add")
    click(STAFF, "form-name")
    keys(RESIDENT_NAME)
    click(STAFF, "form-unit")
    keys("1-101")
    click(STAFF, "form-ends-on")
    keys(time.strftime("%Y-12-31", time.gmtime(time.time() + 366 * 86_400)))
    shoot("22-resident-form")
    press("Return")
    says(STAFF, RESIDENT_NAME)
    shoot("22-resident")


def fill_account(name, role, passphrase):
    """The form of a new account."""
    click(STAFF, "go-people")
    if "flash-close" in ids(STAFF):
        click(STAFF, "flash-close")
    click(STAFF, "accounts-add")
    for field, text in (("name", name), (f"role-{role}", ""), ("passphrase", passphrase), ("repeat", passphrase)):
        roll_to(STAFF, f"account-{field}", "accounts-scroll")
        if text:
            keys(text)
    press("Tab")
    keys(time.strftime("%Y-%m-%d"))
    press("Return")


def second_supervisor():
    """The first supervisor adds the second alone; from then on it takes both."""
    fill_account("Wang", "supervisor", WANG)
    has(STAFF, "account-row-1")
    shoot("23-people")
    click(STAFF, "lock")
    handed_over = time.time()
    click(STAFF, "unlock-account-1")
    keys(WANG)
    press("Return")
    has(STAFF, "rules-scroll")
    took = time.time() - handed_over
    print(f"hand-over, mouse and keyboard included, s: {took:.1f}", flush=True)
    if took >= 15:
        sys.exit("a shift is handed over in seconds")
    read_and_sign("Wang")
    has(STAFF, "home-search")


def add_account(name, role, passphrase, row):
    """Another account, which the other supervisor approves."""
    fill_account(name, role, passphrase)
    has(STAFF, "approve")
    shoot(f"23-approve-{role}")
    click(STAFF, "approve-passphrase")
    keys(LI)
    press("Return")
    has(STAFF, f"account-row-{row}")


def enter(name, passphrase):
    """Chooses the account of this name on the lock screen, and types its passphrase."""
    has(STAFF, "unlock-passphrase")
    time.sleep(0.5)
    box = next(box for text, box in widgets()[STAFF]["texts"] if text.startswith(f"{name}（"))
    point(STAFF, box[0] + box[2] / 2, box[1] + box[3] / 2)
    run("xdotool", "click", "1")
    time.sleep(0.3)
    click(STAFF, "unlock-passphrase")
    keys(passphrase)
    press("Return")


def hand_over_to(name, passphrase):
    """Shuts the window and lets somebody else in."""
    click(STAFF, "lock")
    enter(name, passphrase)


def watched(what, allowed):
    """What a role has on screen: the header's ways are exactly these, and nothing names the resident or lets somebody look for one."""
    header = {name for name in ids(STAFF) if name.startswith("go-")}
    if header != allowed:
        sys.exit(f"{what} has {sorted(header)} in the header, not {sorted(allowed)}")
    people = {name for name in ids(STAFF) if name.startswith(("home-search", "home-find", "home-add", "home-row", "card-", "look-"))}
    if people:
        sys.exit(f"{what} has {sorted(people)}")
    named = [text for text, _ in widgets()[STAFF]["texts"] if any(part in text for part in (RESIDENT_NAME, *RESIDENT_NAME.split(), "1-101"))]
    if named:
        sys.exit(f"{what} sees {named}")


def technician():
    """Logs in and goes to this machine: what was found of it, and the examination. No people."""
    hand_over_to("Zhao", ZHAO)
    read_and_sign("Zhao")
    has(STAFF, "go-machine")
    time.sleep(0.5)
    ways = {"go-home", "go-incidents", "go-machine", "go-mine"}
    watched("the technician at first", ways)
    shoot("23-technician-home")
    click(STAFF, "go-machine")
    has(STAFF, "machine-again")
    watched("the technician's page about the machine", ways)
    shoot("23-technician-machine")
    click(STAFF, "machine-doctor")
    has(STAFF, "doctor-save", 120)
    wait("the examination", lambda w: len(w[STAFF]["texts"]) > 25, 120)
    watched("the examination", ways)
    shoot("23-technician-examination")
    print("pages of the technician without people: 3", flush=True)


def auditor():
    """Logs in and reads the log and the reports. Nothing else."""
    hand_over_to("Qian", QIAN)
    read_and_sign("Qian")
    has(STAFF, "go-evidence")
    time.sleep(0.5)
    ways = {"go-evidence", "go-looks", "go-mine"}
    watched("the auditor's sheet of looks", ways)
    shoot("23-auditor-looks")
    click(STAFF, "go-evidence")
    has(STAFF, "check-all")
    watched("the auditor's page of the log", ways)
    click(STAFF, "check-all")
    has(STAFF, "check-result", 60)
    watched("the auditor's comparison of the log", ways)
    shoot("23-auditor-log")
    click(STAFF, "go-mine")
    time.sleep(0.5)
    watched("the auditor's own page", ways)
    print("pages of the auditor without people: 4", flush=True)


def notice_after_hand_over():
    """Whoever took over a window that was shut sees every page of the notice, as after logging in."""
    has(STAFF, "home-search")
    click(STAFF, "go-settings")
    click(STAFF, "settings-notice")
    pages = {"changes": "目的、方式、信息种类", "assessment": "重大安全事件", "signs": "提示标识", "entrusted": "受托方登记"}
    for page, words in pages.items():
        click(STAFF, f"notice-tab-{page}")
        says(STAFF, words)
        has(STAFF, "notice-scroll")
        shoot(f"24-notice-{page}")
    print(f"pages of the notice after a hand-over: {len(pages)}", flush=True)
    click(STAFF, "go-home")


def wait_and_recover(recovery):
    """The countdown, the window that shuts itself, ten wrong passphrases, recovery by the printed key."""
    has(STAFF, "home-search")
    print("waiting a minute for the idle lock", flush=True)
    Room.somebody_is_there = False
    has(STAFF, "locks-in", 70)
    shoot("24-countdown")
    move(STAFF)
    wait("the countdown to end", lambda w: "locks-in" not in w[STAFF]["ids"], 5)
    has(STAFF, "unlock-passphrase", 75)
    Room.somebody_is_there = True
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


def no_secrets(menka, real, recovery):
    """What was typed is in no argument and no environment, and no crash would write it down."""
    if not os.path.exists(os.path.join(real, "vault.db")):
        sys.exit("no vault was made")
    typed = [LI, WANG, ZHAO, QIAN, "another long passphrase", recovery]
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
