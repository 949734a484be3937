"""A classifier in a scikit-learn pipeline, beside scikit-learn's own network."""

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fastbutterfly.sklearn import ButterflyClassifier

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
options = {"learning_rate_init": 5e-3, "early_stopping": True, "random_state": 0}
dense = MLPClassifier((256,), **options)
butterfly = ButterflyClassifier((256,), **options)
for classifier in (dense, butterfly):
    model = make_pipeline(StandardScaler(), classifier)
    model.fit(X_train, y_train)
    name, epochs = type(classifier).__name__, classifier.n_iter_
    print(f"{name}: {model.score(X_test, y_test):.1%} right, {epochs} epochs")

weights = sum(a.size for a in (*dense.coefs_, *dense.intercepts_))
print(f"weights: {weights:,} dense, {butterfly.network_.n_weights:,} butterfly")
print("first probabilities:", model.predict_proba(X_test[:1]).round(3)[0])
