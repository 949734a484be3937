"""A layer trained in a loop of one's own: forward, loss, backward, step."""

import numpy as np

from fastbutterfly import nn

rng = np.random.default_rng(0)
X = rng.standard_normal((2000, 64), dtype=np.float32)
matrix = np.linalg.qr(rng.standard_normal((64, 64)))[0][:, :4]
y = np.abs(X @ matrix).astype(np.float32)  # four numbers to predict

net = nn.Sequential(
    nn.ButterflyLinear(64, 128, rng=0), nn.GELU(), nn.Dense(128, 4, rng=1)
)
loss, optimizer = nn.MSE(), nn.Adam(nn.cosine(0.01, 30 * 32))
state = optimizer.init(net.parameters)  # all parameters are one flat buffer
gradient = np.empty_like(net.parameters)
print(f"{net.n_weights:,} weights, loss before: {loss(net(X), y)[0]:.4f}")
for epoch in range(30):
    order = rng.permutation(len(X))
    for start in range(0, len(X), 64):
        batch = order[start : start + 64]
        outputs, saved = net.forward(X[batch])
        value, g = loss(outputs, y[batch])
        net.backward(saved, g, gradient, input_gradient=False)
        optimizer.update(net.parameters, gradient, state)
    if epoch % 10 == 9:
        print(f"epoch {epoch + 1}, loss: {loss(net(X), y)[0]:.4f}")
