"""M/M/1 at 0.8 in radCAD, in the form that suits it best: Lindley's recursion, a customer per timestep. Nothing is copied and
no substeps are kept. Prints runs per second of processor time and the mean time in the system."""

import random
import sys
import time

from radcad import Experiment, Model, Simulation
from radcad.engine import Backend, Engine

runs, customers = int(sys.argv[1]), int(sys.argv[2])
draw = random.Random(1)


def arrival(params, substep, history, state):
    return {"service": draw.expovariate(1.0), "gap": draw.expovariate(0.8)}


def waited(state, signal):
    return max(0.0, state["wait"] + state["service"] - signal["gap"])


def wait(params, substep, history, state, signal):
    return "wait", waited(state, signal)


def service(params, substep, history, state, signal):
    return "service", signal["service"]


def total(params, substep, history, state, signal):
    return "total", state["total"] + waited(state, signal) + signal["service"]


model = Model(
    initial_state={"wait": 0.0, "service": 0.0, "total": 0.0},
    state_update_blocks=[{"policies": {"arrival": arrival}, "variables": {"wait": wait, "service": service, "total": total}}],
    params={},
)
experiment = Experiment([Simulation(model=model, timesteps=customers, runs=runs)])
experiment.engine = Engine(backend=Backend.SINGLE_PROCESS, deepcopy=False, drop_substeps=True)
started = time.process_time()
rows = experiment.run()
seconds = time.process_time() - started
totals = [row["total"] for row in rows if row["timestep"] == customers]
print(runs / seconds, sum(totals) / len(totals) / customers)
