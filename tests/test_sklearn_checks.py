"""scikit-learn's own checks of estimators, and what importing them needs."""

import subprocess
import sys
import warnings

import pytest
import sklearn
from sklearn.utils.estimator_checks import check_estimator

from fastbutterfly.sklearn import (
    ButterflyAutoencoder,
    ButterflyClassifier,
    ButterflyFeatures,
    ButterflyProjection,
    ButterflyRegressor,
)

# n_components="auto" asks for thousands, more than the features of the checks.
ESTIMATORS = [
    (ButterflyProjection(n_components=2), 46),
    (ButterflyFeatures(), 46),
    (ButterflyAutoencoder(1), 46),
    (ButterflyClassifier(), 67),
    (ButterflyRegressor(), 60),
]
# Only runs where SCIPY_ARRAY_API is set before SciPy is imported.
SKIPPED = {"check_array_api_input"}


@pytest.mark.parametrize(
    ("estimator", "least"),
    ESTIMATORS,
    ids=[type(estimator).__name__ for estimator, _ in ESTIMATORS],
)
def test_follows_the_conventions(estimator, least):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # small data: epochs run out, and the like
        results = check_estimator(estimator, on_fail=None, on_skip=None)
    failed = [
        (result["check_name"], str(result["exception"]))
        for result in results
        if result["status"] not in ("passed", "skipped")
    ]
    assert not failed
    skipped = {r["check_name"] for r in results if r["status"] == "skipped"}
    assert skipped <= SKIPPED
    if sklearn.__version__.startswith("1.9."):
        assert len(results) - len(skipped) >= least


def test_import_needs_scikit_learn():
    code = """
import sys
sys.modules["sklearn"] = None
import fastbutterfly
try:
    import fastbutterfly.sklearn
except ImportError as error:
    assert "pip install 'fastbutterfly[sklearn]'" in str(error), error
else:
    raise AssertionError("imported")
"""
    subprocess.run([sys.executable, "-c", code], check=True)
