"""The board in software against the independent client uhppoted, and our own command line against both. See boards.sh."""

import datetime
import ipaddress
import subprocess
import sys
import threading
import time

from uhppoted import uhppote

SERIAL = 405419896
GATE = sys.argv[1]
LISTEN = "127.0.0.1:0"

board = subprocess.Popen(
    [GATE, "--practice-board", "--listen", LISTEN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
)
address = board.stdout.readline().strip().removeprefix("listening: ")
client = uhppote.Uhppote(bind="127.0.0.1", broadcast=address, listen="127.0.0.1:60001")
there = (SERIAL, address, "udp")
checks = 0


def check(what, got, wanted):
    global checks
    checks += 1
    if got != wanted:
        board.kill()
        sys.exit(f"boards: {what}: {got!r} instead of {wanted!r}")


def tell(line):
    board.stdin.write(line + "\n")
    board.stdin.flush()
    return board.stdout.readline().strip()


def ours(*words):
    done = subprocess.run(
        [GATE, "board", words[0], "--address", address, *words[1:]], capture_output=True, text=True, timeout=60
    )
    return done.stdout if done.returncode == 0 else "failed: " + done.stderr


try:
    found = client.get_controller(there)
    check("serial number", found.controller, SERIAL)
    check("version", found.version, "v8.92")
    check("broadcast", [c.controller for c in client.get_all_controllers()], [SERIAL])

    noon = datetime.datetime(2026, 11, 22, 13, 7, 9)
    check("set time", client.set_time(there, noon).datetime, noon)
    read = client.get_time(there).datetime
    check("get time", abs((read - noon).total_seconds()) < 5, True)

    first, last = datetime.date(2020, 1, 1), datetime.date(2027, 12, 31)
    check("no card", client.get_card(there, 10058400).card_number, 0)
    check("put", client.put_card(there, 10058400, first, last, 1, 0, 29, 1, 7531).stored, True)
    card = client.get_card(there, 10058400)
    check("card", (card.card_number, card.start_date, card.end_date), (10058400, first, last))
    check("doors", (card.door_1, card.door_2, card.door_3, card.door_4, card.pin), (1, 0, 29, 1, 7531))
    check("put another", client.put_card(there, 10058401, first, last, 1, 1, 1, 1, 0).stored, True)
    check("count", client.get_cards(there).cards, 2)
    check("by index", client.get_card_by_index(there, 2).card_number, 10058401)
    check("delete", client.delete_card(there, 10058400).deleted, True)
    check("delete again", client.delete_card(there, 10058400).deleted, False)
    check("freed place", client.get_card_by_index(there, 1).card_number, 0xFFFFFFFF)
    check("beyond the end", client.get_card_by_index(there, 3).card_number, 0)
    check("open door", client.open_door(there, 3).opened, True)
    check("opened", tell("opened 3"), "1")

    check("listener", client.set_listener(there, ipaddress.IPv4Address("127.0.0.1"), 60001, 5).ok, True)
    listener = client.get_listener(there)
    check("listener back", (str(listener.address), listener.port, listener.interval), ("127.0.0.1", 60001, 5))

    heard = []
    threading.Thread(target=lambda: client.listen(heard.append), daemon=True).start()
    for _ in range(50):
        time.sleep(0.1)
        if not heard:
            tell("swipe 10058401 2")
    check("event", (heard[0].controller, heard[0].event_door, heard[0].event_card), (SERIAL, 2, 10058401))
    check("event granted", heard[0].event_access_granted, True)
    tell("swipe 999 1")
    status = client.get_status(there)
    check("last event", (status.event_type, status.event_access_granted, status.event_card), (1, False, 999))
    check("event index", client.get_event_index(there).event_index, status.event_index)

    # What the other client wrote is what ours reads, and the other way round.
    check("our find", "serial number: 405419896" in ours("find"), True)
    said = ours("status", "--serial", str(SERIAL))
    check("our status", "cards: 1" in said and "events go to: 127.0.0.1:60001" in said, True)
    check("our last event", "card …0999 denied" in said, True)
    ours("clock", "--serial", str(SERIAL))
    drift = (client.get_time(there).datetime - datetime.datetime.utcnow() - datetime.timedelta(hours=8)).total_seconds()
    check("our clock", abs(drift) < 5, True)
    check("our open", ours("open", "--serial", str(SERIAL), "--door", "4"), "opened: 4\n")
    check("another serial number", "does not answer" in ours("status", "--serial", "1"), True)

    listening = subprocess.Popen(
        [GATE, "board", "listen", "--address", address, "--serial", str(SERIAL), "--at", "127.0.0.1:60002", "--seconds", "3"],
        stdout=subprocess.PIPE,
        text=True,
    )
    check("our listening", listening.stdout.readline(), "listening: 127.0.0.1:60002\n")
    # Passed in the moment that we say so: we listen by then.
    tell("swipe 10058401 1")
    # A board also sends its last event again every few seconds.
    shown = listening.stdout.read()
    check("our event", "door 1 card …8401 granted" in shown or shown, True)
    listening.wait(timeout=20)
    listener = client.get_listener(there)
    check("put back", (str(listener.address), listener.port, listener.interval), ("127.0.0.1", 60001, 5))
    check("delete all", client.delete_all_cards(there).deleted, True)
    check("empty", tell("cards"), "0")
finally:
    board.kill()
    board.wait()
print(f"boards: checks against uhppoted: {checks}")
