"""Plain SGD with PyTorch, as people write it: modules, an optimiser, a loop."""

from torch_without_cuda import torch

from cases import load_layers, load_samples
from serve import Prepared, serve

#: Steps between two readings of the clock.
STEPS = 20


def network(layers) -> torch.nn.Sequential:
    modules = []
    for weight, bias in layers:
        linear = torch.nn.Linear(weight.shape[1], weight.shape[0])
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(weight))
            linear.bias.copy_(torch.from_numpy(bias))
        modules += [linear, torch.nn.Tanh()]
    return torch.nn.Sequential(*modules)


def prepare(case: dict) -> Prepared:
    inputs, targets, order = map(torch.from_numpy, load_samples(case))
    model = network(load_layers(case))
    optimizer = torch.optim.SGD(model.parameters(), lr=case["learningRate"])
    loss_of = torch.nn.MSELoss()
    done = 0

    def step() -> torch.Tensor:
        nonlocal done
        batch = order[done % len(order)]
        done += 1
        optimizer.zero_grad()
        loss = loss_of(model(inputs[batch]), targets[batch])
        loss.backward()
        optimizer.step()
        return loss.detach()

    def work() -> int:
        for _ in range(STEPS):
            step()
        return STEPS

    return Prepared(work, [step().item() for _ in range(case["checkSteps"])])


serve(prepare)
