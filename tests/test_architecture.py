"""The house: pure modules know no Django, and the gallery knows no dedup."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PURE = {
    "gallery": [
        "archives", "packages", "seven_zip", "tar_entries", "unpacking", "zip_entries",
        "atlas",
        "websize",
        "colours", "columns", "copying", "dates", "decoding", "descent", "detail", "drafts",
        "export_list", "export_names",
        "drives", "films", "folder_names", "formats", "junk", "liars", "metadata", "orders", "originals", "pieces",
        "ranges", "renditions", "rereading", "sandbox", "series", "sidecars", "snapshots", "spoken", "stages",
        "sums", "texts", "tiff", "trees", "vault", "walk", "xmp", "xmp_packet",
        "zips",
    ],
    "dedup": [
        "alignment", "batches", "candidates", "clues", "compiled", "grouping", "hamming", "laying",
        "local_features", "local_join", "local_neighbours", "naming", "nearest", "neighbours", "overlaying",
        "perceptual", "ranking", "relation", "traces", "warming",
        "windows",
    ],
}  # fmt: skip
PURE_MODULES = [
    ROOT / app / f"{name}.py" for app, names in PURE.items() for name in names
]
# backlog does at once what the tasks do in the background, and so stands beside them.
SKIN = {
    *("views", "forms", "tasks", "backlog", "admin", "urls", "management", "schedule"),
}


def imported(path: Path) -> set[str]:
    """Return the dotted names a file imports, `from a import b` as `a.b`."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def packages(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imported(path)}


@pytest.mark.parametrize(
    "path", PURE_MODULES, ids=lambda p: f"{p.parent.name}.{p.stem}"
)
def test_pure_modules_do_not_import_django(path):
    assert not packages(path) & {"django", "django_q", "imagevault", "django_htmx"}


@pytest.mark.parametrize(
    "path", PURE_MODULES, ids=lambda p: f"{p.parent.name}.{p.stem}"
)
def test_pure_modules_import_only_pure_modules(path):
    pure = {f"{p.parent.name}.{p.stem}" for p in PURE_MODULES}
    ours = {n for n in imported(path) if n.split(".")[0] in PURE}
    # `from gallery import walk` names a module, `from gallery.walk import raw` a name.
    impure = {n for n in ours if not {n, n.rpartition(".")[0]} & pure}
    assert not impure


def test_the_gallery_does_not_know_dedup():
    for path in (ROOT / "gallery").rglob("*.py"):
        assert "dedup" not in packages(path), path


def test_rooms_do_not_import_the_skin():
    for app in PURE:
        rooms = [
            path
            for path in (ROOT / app).rglob("*.py")
            if not SKIN & set(path.relative_to(ROOT / app).with_suffix("").parts)
            and path.stem not in {"apps", "checks"}
        ]
        for path in rooms:
            skins = {f"{a}.{s}" for a in PURE for s in SKIN}
            above = {n for n in imported(path) if ".".join(n.split(".")[:2]) in skins}
            assert not above, f"{path} imports {above}"


def test_every_import_is_declared_or_ours():
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {d.split(">")[0].split("[")[0].lower() for d in project["dependencies"]}
    modules = {
        "PIL": "pillow", "cv2": "opencv-python-headless", "csp": "django-csp",
        "axes": "django-axes", "environ": "django-environ", "pillow_jxl": "pillow-jxl-plugin",
        "pillow_heif": "pillow-heif", "django_q": "django-q2", "django_htmx": "django-htmx",
    }  # fmt: skip
    for folder in ("gallery", "dedup", "imagevault"):
        for path in (ROOT / folder).rglob("*.py"):
            for name in packages(path) - set(PURE) - {"imagevault"}:
                known = modules.get(name, name).lower() in declared
                assert known or name in sys.stdlib_module_names, f"{path}: {name}"
