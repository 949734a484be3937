"""Estimators for scikit-learn, which ``pip install 'fastbutterfly[sklearn]'`` brings.

They follow its conventions: `fit`, `predict`, `transform`, parameters by name, feature
names, pickling, pipelines and grid searches.
"""

try:
    from sklearn.utils.validation import validate_data  # noqa: F401
except ImportError as error:
    raise ImportError(
        "fastbutterfly.sklearn needs scikit-learn 1.6 or newer: "
        "pip install 'fastbutterfly[sklearn]'"
    ) from error

from .._base.public import publish
from .autoencoder import ButterflyAutoencoder
from .classifier import ButterflyClassifier
from .features import ButterflyFeatures
from .projection import ButterflyProjection
from .regressor import ButterflyRegressor

__all__ = [
    "ButterflyAutoencoder",
    "ButterflyClassifier",
    "ButterflyFeatures",
    "ButterflyProjection",
    "ButterflyRegressor",
]

publish(globals(), __name__)
