#!/usr/bin/env python3
"""Checks an evidence bundle with nothing but Python's own library: hashes, the tree, and what is shown of entries. Signatures are OpenSSL's (README.txt)."""

import base64
import hashlib
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
PUBLIC = HERE / "public"


def sha(data):
    return hashlib.sha256(data).digest()


def fail(what):
    print("NOT GOOD:", what)
    sys.exit(1)


def checkpoint(text):
    lines = text.split("\n")
    return int(lines[1]), base64.b64decode(lines[2])


def leaves(size):
    found = []
    for number in range((size + 255) // 256):
        digits = f"{number % 1000:03d}"
        rest = number // 1000
        while rest:
            digits = f"x{rest % 1000:03d}/" + digits
            rest //= 1000
        path = PUBLIC / "tile" / "entries" / digits
        if not path.is_file():
            path = pathlib.Path(f"{path}.p") / str(size % 256)
        data = path.read_bytes()
        while data:
            length = int.from_bytes(data[:2], "big")
            found.append(data[2 : 2 + length])
            data = data[2 + length :]
    if len(found) != size:
        fail(f"{len(found)} leaves for {size} entries")
    return found


def root(hashes):
    """RFC 6962, section 2.1, bottom up: whoever has no right neighbour goes up as it is."""
    while len(hashes) > 1:
        pairs = zip(hashes[::2], hashes[1::2])
        odd = hashes[-1:] if len(hashes) % 2 else []
        hashes = [sha(b"\x01" + a + b) for a, b in pairs] + odd
    return hashes[0]


def root_by_proof(index, size, leaf_hash, path):
    """RFC 9162, section 2.1.3.2."""
    fn, sn, value = index, size - 1, leaf_hash
    for node in path:
        if sn == 0:
            fail("a proof is too long")
        if fn & 1 or fn == sn:
            value = sha(b"\x01" + node + value)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            value = sha(b"\x01" + value + node)
        fn, sn = fn >> 1, sn >> 1
    if sn:
        fail("a proof is too short")
    return value


def head(data, at):
    major, value = data[at] >> 5, data[at] & 31
    at += 1
    if value >= 24:
        length = 1 << (value - 24)
        value, at = int.from_bytes(data[at : at + length], "big"), at + length
    return major, value, at


def skip(data, at):
    """Where the CBOR item that begins here ends."""
    major, value, at = head(data, at)
    if major in (2, 3):
        return at + value
    for _ in range({4: value, 5: 2 * value}.get(major, 0)):
        at = skip(data, at)
    return at


def pairs(data):
    major, count, at = head(data, 0)
    if major != 5:
        fail("a map was expected")
    for _ in range(count):
        key = skip(data, at)
        value = skip(data, key)
        yield data[at:key], data[key:value]
        at = value
    if at != len(data):
        fail("bytes are left behind a map")


def content_hash(content):
    """SHA-256 of the map of every key to its commitment; what is not shown stands as its commitment already."""
    end = head(content, 0)[2]
    out = content[:end]
    for key, value in pairs(content):
        out += key + b"\x58\x20" + (value[2:] if value[:2] == b"\x58\x20" else sha(value))
    return sha(out)


def main():
    for line in (HERE / "manifest.sha256").read_text().splitlines():
        digest, name = line.split("  ", 1)
        if hashlib.sha256((HERE / name).read_bytes()).hexdigest() != digest:
            fail(f"{name} is not what was packed")
    note = (PUBLIC / "checkpoint").read_text()
    if note.split("\n\n")[0] + "\n" != (HERE / "signed/checkpoint.text").read_text():
        fail("signed/checkpoint.text is not the checkpoint's text")
    size, signed = checkpoint(note)
    all_leaves = leaves(size)
    hashes = [sha(b"\x00" + leaf) for leaf in all_leaves]
    if root(hashes) != signed:
        fail("the leaves do not give the root that is signed")
    print(f"{size} leaves give the root that is signed")
    roots = {}
    for file in sorted((HERE / "entries").glob("*.leaf"), key=lambda file: int(file.stem)):
        index, leaf = int(file.stem), file.read_bytes()
        if all_leaves[index] != leaf:
            fail(f"entry {index} is not the leaf at its place")
        proof, own = file.with_suffix(".tlog-proof").read_text().split("\n\n", 1)
        path = [base64.b64decode(line) for line in proof.split("\n")[2:]]
        of, its_root = checkpoint(own)
        if of not in roots:
            roots[of] = root(hashes[:of])
        if root_by_proof(index, of, hashes[index], path) != its_root or roots[of] != its_root:
            fail(f"the receipt of entry {index} does not lead to its root, or that root is not this log's")
        content = file.with_suffix(".content")
        if content.is_file():
            committed = dict(pairs(leaf))[b"\x06"]
            if committed != b"\x58\x20" + content_hash(content.read_bytes()):
                fail(f"what is shown of entry {index} is not what its leaf commits to")
        print(f"entry {index}: at its place, its receipt holds, {'shown as committed' if content.is_file() else 'not shown'}")
    print("GOOD. Whether the log's key signed the checkpoint is OpenSSL's to say: README.txt, step 2.")


main()
