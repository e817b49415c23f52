"""Checks a replay file and an exported log of a Menka desk. Written from docs/evidence.md alone; shares no code with Menka.

usage: check.py FOLDER     with replay.json, log.jsonl, station.key

Needs the package `cryptography` for signatures; without it the hashes and proofs are checked and the rest is said to be left out.
"""
import base64
import hashlib
import json
import sys
from pathlib import Path

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
except ImportError:
    Ed25519PublicKey = None


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def signed(key, signature, message):
    if Ed25519PublicKey is None:
        return True
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
        return True
    except InvalidSignature:
        return False


def canonical(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def leaf(record):
    return sha(b"\0", record)


def root_of(leaves):
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha(b"\1", root_of(leaves[:split]), root_of(leaves[split:]))


def root_from_path(n, size, hash_, path):
    """RFC 6962, section 2.1.1, from the leaf up; the path is listed lowest first."""
    if size == 1:
        return hash_ if not path else None
    split = 1
    while split * 2 < size:
        split *= 2
    if not path:
        return None
    rest, last = path[:-1], path[-1]
    if n < split:
        left = root_from_path(n, split, hash_, rest)
        return left and sha(b"\1", left, last)
    right = root_from_path(n - split, size - split, hash_, rest)
    return right and sha(b"\1", last, right)


def head(note, key):
    text, signatures = note.split("\n\n", 1)
    origin, size, root = text.split("\n")
    key_id = sha(origin.encode(), b"\n\x01", key)[:4]
    for line in signatures.splitlines():
        _, name, blob = line.split(" ")
        blob = base64.b64decode(blob)
        if name == origin and blob[:4] == key_id:
            assert signed(key, blob[4:], (text + "\n").encode()), "head: signature"
            return origin, int(size), base64.b64decode(root)
    raise AssertionError("head: not signed by the station")


def opened(entry):
    record = json.loads(entry["record"])
    detail = entry["detail"].encode()
    want = sha(b"menka log detail 2\0", bytes.fromhex(entry["salt"]), detail).hex()
    assert record["on"] == want, "opening"
    return record, json.loads(detail)


def cbor(data, at=0):
    """The little of CBOR that a COSE_Sign1 needs."""
    kind, low = data[at] >> 5, data[at] & 31
    at += 1
    if low >= 24:
        width = 1 << (low - 24)
        low, at = int.from_bytes(data[at : at + width], "big"), at + width
    if kind == 0:
        return low, at
    if kind == 1:
        return -1 - low, at
    if kind in (2, 3):
        part = data[at : at + low]
        return (part if kind == 2 else part.decode()), at + low
    if kind == 4:
        items = []
        for _ in range(low):
            item, at = cbor(data, at)
            items.append(item)
        return items, at
    if kind == 5:
        pairs = {}
        for _ in range(low):
            name, at = cbor(data, at)
            pairs[name], at = cbor(data, at)
        return pairs, at
    if kind == 6:
        assert low == 18, "tag"
        return cbor(data, at)
    raise AssertionError("cbor")


def length(kind, n):
    if n < 24:
        return bytes([kind << 5 | n])
    if n < 256:
        return bytes([kind << 5 | 24, n])
    return bytes([kind << 5 | 25]) + n.to_bytes(2, "big")


def consent(cose, key):
    (protected, _, payload, signature), end = cbor(cose)
    assert end == len(cose)
    header, _ = cbor(protected)
    assert header[1] == -8 and header[3] == "application/vnd.menka.consent.v1+json", "consent: header"
    parts = b"".join(length(2, len(part)) + part for part in (protected, b"", payload))
    assert signed(key, signature, length(4, 4) + length(3, 10) + b"Signature1" + parts), "consent: signature"
    return json.loads(payload)


def replay(data, key):
    file = json.loads(data)
    assert canonical(file).encode() == data and file["schema"] == "menka-replay/1", "shape"
    assert bytes.fromhex(file["station_key"]) == key, "key"
    showing = json.loads(file["showing"])
    assert sha(file["text"].encode()).hex() == showing["text_sha256"], "text"
    record, detail = opened(file["shown"])
    assert record["what"] == "notice-opened" and detail["ids"][0] == showing["showing"], "showing"
    assert detail["digest"] == sha(file["showing"].encode()).hex(), "showing"
    entries = [file["shown"]]
    if file["read"]:
        record, detail = opened(file["read"])
        assert record["what"] == "notice-reached-end" and detail["ids"][0] == showing["showing"], "read-to-end"
        entries.append(file["read"])
    if file["consent"]:
        cose = bytes.fromhex(file["consent"])
        stated = consent(cose, key)
        assert stated["pii_processing"]["privacy_notice"]["notice_sha256"] == showing["text_sha256"], "consent-fits"
        assert stated["record_metadata"]["pii_principal_id"] == showing["resident"], "consent-fits"
        record, detail = opened(file["consented"])
        assert record["what"] == "consented" and detail["digest"] == sha(cose).hex(), "consent-fits"
        assert detail["ids"][0] == stated["record_metadata"]["record_id"], "consent-fits"
        entries.append(file["consented"])
    _, size, root = head(file["head"], key)
    for entry in entries:
        n = json.loads(entry["record"])["n"]
        path = [bytes.fromhex(part) for part in entry["proof"]]
        assert n < size and root_from_path(n, size, leaf(entry["record"].encode()), path) == root, "inclusion"
    message = b"menka replay 1\0" + sha(canonical({**file, "signature": ""}).encode())
    assert signed(key, bytes.fromhex(file["signature"]), message), "seal"
    return size


def log(data, key):
    lines = data.decode().split("\n")
    assert lines.pop() == "", "shape"
    top, *records, last = lines
    header, footer = json.loads(top), json.loads(last)
    assert canonical(header) == top and canonical(footer) == last and header["schema"] == "menka-log/1", "shape"
    assert bytes.fromhex(header["station_key"]) == key and len(records) == header["size"], "records"
    raw = [bytes.fromhex(r[1:]) if r.startswith("!") else r.encode() for r in records]
    for n, record in enumerate(raw):
        assert json.loads(record)["n"] == n, f"record {n}"
        assert leaf(record).hex() == footer["leaves"][n], f"hash of record {n}"
    leaves = [leaf(record) for record in raw]
    origin, size, root = head(footer["head"], key)
    assert (origin, size, root) == (header["origin"], len(raw), root_of(leaves)), "root"
    for note in footer["heads"]:
        _, size, root = head(note, key)
        assert root == root_of(leaves[:size]), "earlier-heads"
    before = data[: data[:-1].rindex(b"\n") + 1]
    message = b"menka log 1\0" + sha(before, canonical({**footer, "signature": ""}).encode(), b"\n")
    assert signed(key, bytes.fromhex(footer["signature"]), message), "seal"
    return len(raw)


def main(folder):
    key = bytes.fromhex((folder / "station.key").read_text().strip())
    print("replay under", replay((folder / "replay.json").read_bytes(), key), "records")
    print("log of", log((folder / "log.jsonl").read_bytes(), key), "records")
    print("signatures checked" if Ed25519PublicKey else "signatures left out: no package cryptography")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
