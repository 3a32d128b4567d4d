"""Shipped files are found in a checkout and in an installed wheel."""

import pytest

from workbench.errors import ReportError
from workbench.reporting import assets


def test_a_checkout_has_them_at_its_root():
    assert (assets.shipped("reports", "template") / "page.css").is_file()
    assert assets.shipped("notebooks", "capacity.ipynb").is_file()


def test_an_installed_package_looks_in_its_own_folder_only(tmp_path, monkeypatch):
    """Beside an installed package a folder called `notebooks` may be anybody's."""
    package = tmp_path / "site-packages" / "workbench"
    (package / "_shipped" / "notebooks").mkdir(parents=True)
    (package.parent / "notebooks").mkdir()
    (package.parent / "notebooks" / "capacity.ipynb").write_text("foreign")
    monkeypatch.setattr(assets, "_PACKAGE", package)
    with pytest.raises(ReportError, match=r"notebooks/capacity.ipynb is missing"):
        assets.shipped("notebooks", "capacity.ipynb")
    (package / "_shipped" / "notebooks" / "capacity.ipynb").write_text("ours")
    assert assets.shipped("notebooks", "capacity.ipynb").read_text() == "ours"
