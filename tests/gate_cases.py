"""A project with things to lose, for commands to be judged in."""

from __future__ import annotations

import json
from pathlib import Path

FILES = {
    "canary.txt": "precious\n",
    "README.md": "# Shop\n",
    "a.py": "print(1)\n",
    "src/app.py": "def total(x):\n    return x\n\n\nprint(total(1))\n",
    "src/main.ts": "export {}\n",
    "tests/test_app.py": "def test_one():\n    assert True\n",
    "docs/guide.md": "Guide\n",
    "docs/canary.txt": "precious too\n",
    "data.csv": "a,b\n1,2\n",
    "data.json": "{}\n",
    "list.txt": "canary.txt\n",
    "requirements.txt": "flask\n",
    ".env": "KEY=secret\n",
    ".env.example": "KEY=\n",
    "server.pem": "secret\n",
    "id_rsa": "secret\n",
    "evil.py": "import os\nos.remove('canary.txt')\n",
    "cleanup.py": "import shutil\nshutil.rmtree('src')\n",
    "cleanup.js": "require('fs').rmSync('canary.txt')\n",
    "scripts/evil.sh": "rm canary.txt\n",
    "scripts/build.sh": "echo built\n",
    "Makefile": (
        "DIR = src\n\ntest:\n\tpytest -q\n\nlint:\n\truff check .\n\nbuild:\n\techo built\n"
        "\nclean:\n\trm -rf $(DIR)\n\nwipe: clean\n\n.PHONY: test\n"
    ),
    "package.json": json.dumps(
        {"scripts": {"test": "jest", "build": "tsc", "lint": "eslint .", "dev": "vite", "clean": "rm -rf src",
                     "wipe": "npm run clean", "deploy": "netlify deploy --prod"}}
    ),
    ".git/config": "[core]\n",
}  # fmt: skip


def project(folder: Path) -> Path:
    """Lay out the project below `folder`; its neighbour is not part of it."""
    repo = folder / "shop"
    for name, text in FILES.items():
        (repo / name).parent.mkdir(parents=True, exist_ok=True)
        (repo / name).write_text(text)
    (folder / "other").mkdir()
    (folder / "other" / "secret.txt").write_text("secret\n")
    return repo
