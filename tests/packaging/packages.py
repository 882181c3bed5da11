"""The Debian packages of a build, and next versions of them."""
import pathlib
import subprocess
import tempfile


def run(*command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    if done.returncode != 0:
        raise AssertionError(f"{command} returned {done.returncode}:\n{done.stdout}")
    return done.stdout


def build(build_dir, cmake, folder):
    """The build's packages by name."""
    cpack = pathlib.Path(cmake).with_name("cpack")
    run(cpack, "-G", "DEB", "--config", f"{build_dir}/CPackConfig.cmake", "-B", folder)
    return {path.name.split("_")[0]: path for path in folder.glob("*.deb")}


def repacked(package, version, folder):
    """The package as its next version would be: another version, and so another path of a plugin."""
    tree = pathlib.Path(tempfile.mkdtemp(dir=folder)) / "tree"
    run("dpkg-deb", "--raw-extract", package, tree)
    before = run("dpkg-deb", "--field", package, "Version").strip()
    for plugin in tree.glob(f"usr/lib/issuer/plugins/vault/{before}"):
        plugin.rename(plugin.with_name(version))
    for name in ("control", "md5sums"):
        file = tree / "DEBIAN" / name
        file.write_text(file.read_text().replace(before, version))
    next_one = tree.with_name(f"{package.name.split('_')[0]}_{version}.deb")
    run("dpkg-deb", "--root-owner-group", "--build", tree, next_one)
    return next_one
