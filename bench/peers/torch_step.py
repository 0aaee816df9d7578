"""A training step of grid-pattern-formation's network in PyTorch, timed.

Usage: torch_step.py Ng Np BATCH {published|fair} [SECONDS]

The network, targets and loss of Sorscher et al. 2019 (DoS readout, relu RNN, adam), written anew from
their description: walks and targets with numpy and torch as there, on one thread. "published"
runs the forward pass twice a step and takes log(softmax), as their code does; "fair" runs it once,
with log-softmax. Prints one line of JSON: medians in milliseconds of this thread's processor time.
"""

import json
import os
import sys
import time

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"

import numpy as np  # noqa: E402
import torch  # noqa: E402

T, DT, BOX = 20, 0.02, 2.2
SIGMA, SURROUND = 0.12, 2.0
BORDER, SLOW = 0.03, 0.25
WEIGHT_DECAY, LEARNING_RATE = 1e-4, 1e-4


def walks(batch, rng):
    """Velocity [batch, T, 2], start [batch, 2] and positions [batch, T, 2]."""
    steps = T + 1
    position = np.zeros((batch, steps + 1, 2))
    heading = np.zeros((batch, steps + 1))
    speed = np.zeros((batch, steps))
    heading[:, 0] = rng.uniform(0, 2 * np.pi, batch)
    position[:, 0] = rng.uniform(-BOX / 2, BOX / 2, (batch, 2))
    turns = rng.normal(0, 5.76 * 2, (batch, steps))
    speeds = rng.rayleigh(0.13 * 2 * np.pi, (batch, steps))
    normals = np.array([0, np.pi / 2, np.pi, 3 * np.pi / 2])
    for t in range(steps):
        x, y = position[:, t, 0], position[:, t, 1]
        distance = np.stack([BOX / 2 - x, BOX / 2 - y, BOX / 2 + x, BOX / 2 + y])
        wall = np.argmin(distance, axis=0)
        angle = np.mod(heading[:, t] - normals[wall] + np.pi, 2 * np.pi) - np.pi
        near = (distance.min(axis=0) < BORDER) & (np.abs(angle) < np.pi / 2)
        turn = DT * turns[:, t]
        turn[near] += np.sign(angle[near]) * (np.pi / 2 - np.abs(angle[near]))
        length = speeds[:, t] * DT * np.where(near, SLOW, 1)
        speed[:, t] = length
        direction = np.stack([np.cos(heading[:, t]), np.sin(heading[:, t])], axis=-1)
        position[:, t + 1] = position[:, t] + length[:, None] * direction
        heading[:, t + 1] = heading[:, t] + turn
    direction = np.stack([np.cos(heading[:, 1:-1]), np.sin(heading[:, 1:-1])], axis=-1)
    velocity = speed[:, 1:, None] * direction
    return velocity, position[:, 1:2], position[:, 2:]


class PlaceCells:
    def __init__(self, cells, rng):
        self.centers = torch.tensor(rng.uniform(-BOX / 2, BOX / 2, (cells, 2)), dtype=torch.float32)

    def activity(self, position):
        """Difference of softmaxes at [batch, steps, 2]: [batch, steps, cells]."""
        squared = ((position[:, :, None, :] - self.centers[None, None]) ** 2).sum(-1)
        y = torch.softmax(-squared / (2 * SIGMA**2), dim=-1)
        y = y - torch.softmax(-squared / (2 * (SURROUND * SIGMA) ** 2), dim=-1)
        y = y + y.min(-1, keepdim=True)[0].abs()
        return y / y.sum(-1, keepdim=True)


class Network(torch.nn.Module):
    def __init__(self, units, cells):
        super().__init__()
        self.encoder = torch.nn.Linear(cells, units, bias=False)
        self.rnn = torch.nn.RNN(2, units, nonlinearity="relu", bias=False)
        self.decoder = torch.nn.Linear(units, cells, bias=False)

    def forward(self, velocity, start):
        hidden, _ = self.rnn(velocity, self.encoder(start)[None])
        return self.decoder(hidden)


def loss_of(network, velocity, start, target, variant):
    if variant == "published":
        network(velocity, start)  # for the decoding error of this batch
        likelihood = torch.softmax(network(velocity, start), dim=-1)
        loss = -(target * torch.log(likelihood)).sum(-1).mean()
    else:
        loss = -(target * torch.log_softmax(network(velocity, start), dim=-1)).sum(-1).mean()
    return loss + WEIGHT_DECAY * (network.rnn.weight_hh_l0**2).sum()


def main():
    units, cells, batch = (int(a) for a in sys.argv[1:4])
    variant = sys.argv[4]
    seconds = float(sys.argv[5]) if len(sys.argv) > 5 else 3
    torch.set_num_threads(1)
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    place_cells = PlaceCells(cells, rng)
    network = Network(units, cells)
    optimizer = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)
    steps, inputs = [], []
    while sum(steps) < seconds or len(steps) < 4:
        began = time.thread_time()
        velocity, start, position = walks(batch, rng)
        velocity = torch.tensor(velocity, dtype=torch.float32).transpose(0, 1)
        target = place_cells.activity(torch.tensor(position, dtype=torch.float32)).transpose(0, 1)
        first = place_cells.activity(torch.tensor(start, dtype=torch.float32))[:, 0]
        ready = time.thread_time()
        optimizer.zero_grad()
        loss = loss_of(network, velocity, first, target, variant)
        loss.backward()
        optimizer.step()
        steps.append(time.thread_time() - began)
        inputs.append(ready - began)
    if not torch.isfinite(loss):
        sys.exit("the loss is not finite")
    print(json.dumps({
        "torch": torch.__version__, "variant": variant, "Ng": units, "Np": cells, "batch": batch,
        "ms": 1e3 * float(np.median(steps[1:])), "inputs_ms": 1e3 * float(np.median(inputs[1:])),
        "steps": len(steps)}))


if __name__ == "__main__":
    main()
