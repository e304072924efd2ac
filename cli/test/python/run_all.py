"""run_all.py JSON: runs scripts beside this one, [name, script, arguments…] each, and prints their results.

One process: importing xarray and pandas takes longer than all that the scripts do.
"""

import contextlib
import io
import json
import runpy
import sys
import traceback
from pathlib import Path

results = {}
for name, script, *arguments in json.loads(sys.argv[1]):
    path = str(Path(__file__).parent / f"{script}.py")
    sys.argv = [path, *arguments]
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            runpy.run_path(path, run_name="__main__")
        results[name] = {"printed": printed.getvalue(), "fault": None}
    except Exception:
        results[name] = {"printed": printed.getvalue(), "fault": traceback.format_exc()}
print(json.dumps(results))
