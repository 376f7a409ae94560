"""The snippets of docs/results.md run, and the page names every column that a file has: doc_snippets.py PAGE, where
results/latest is."""
import io
import contextlib
import re
import sys

import h5py

page = open(sys.argv[1], encoding="utf-8").read()
snippets = re.findall(r"```python\n(.*?)```", page, re.S)
assert len(snippets) >= 3
skipped = 0
for snippet in snippets:
    out = io.StringIO()
    try:
        with contextlib.redirect_stdout(out):
            exec(snippet, {})
    except ModuleNotFoundError as e:
        assert e.name == "pandas", e
        skipped += 1
        continue
    assert out.getvalue(), snippet
with h5py.File("results/latest", "r") as f:
    tables = []
    f.visititems(lambda name, o: tables.append(name) if isinstance(o, h5py.Dataset) and o.dtype.names else None)
    assert len(tables) >= 9, tables
    for name in tables:
        section = re.search(r"^### /%s\n(.*?)(?=^##)" % re.escape(name), page, re.S | re.M)
        assert section, name
        listed = re.findall(r"^\| `(\w+)` \|", section[1], re.M)
        assert listed == list(f[name].dtype.names), (name, set(listed) ^ set(f[name].dtype.names))
    for name in f.attrs:
        assert "`%s`" % name in page, name
print(len(snippets) - skipped, "snippets,", len(tables), "tables")
