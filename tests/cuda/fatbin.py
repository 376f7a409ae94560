"""What code for GPUs a program has: one line for each, "elf 80", "ptx 90", and how many modules have it.

    fatbin.py PROGRAM

Each .cu file with kernels leaves a container in the section .nv_fatbin: a header of 16 bytes (magic, version, bytes of the
header, bytes behind it), then entries, each with a header: kind (1: PTX, 2: code of one architecture), version, bytes of
the header, bytes of the code; the architecture at byte 28.
"""

import collections
import re
import struct
import subprocess
import sys

MAGIC = 0xBA55ED50
KINDS = {1: "ptx", 2: "elf"}


def section(path, name):
    lines = subprocess.run(["readelf", "-SW", path], check=True, capture_output=True, text=True).stdout
    found = re.search(re.escape(name) + r"\s+\S+\s+[0-9a-f]+\s+([0-9a-f]+)\s+([0-9a-f]+)", lines)
    if not found:
        return b""
    with open(path, "rb") as file:
        file.seek(int(found.group(1), 16))
        return file.read(int(found.group(2), 16))


def entries(data):
    """(kind, architecture) of every entry."""
    at = data.find(struct.pack("<I", MAGIC))
    while at >= 0:
        _, _, header_bytes, code_bytes = struct.unpack_from("<IHHQ", data, at)
        entry, end = at + header_bytes, at + header_bytes + code_bytes
        while entry < end:
            kind, _, entry_bytes, payload_bytes = struct.unpack_from("<HHIQ", data, entry)
            (architecture,) = struct.unpack_from("<I", data, entry + 28)
            yield KINDS.get(kind, str(kind)), architecture
            entry += entry_bytes + payload_bytes
        at = data.find(struct.pack("<I", MAGIC), end)


for (kind, architecture), n in sorted(collections.Counter(entries(section(sys.argv[1], ".nv_fatbin"))).items()):
    print(kind, architecture, n)
