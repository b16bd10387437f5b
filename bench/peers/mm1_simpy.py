"""M/M/1 at 0.8 in SimPy 4, as its manual writes it. Prints customers per second of processor time and the mean time in the system."""

import random
import sys
import time

import simpy

customers = int(sys.argv[1])
draw = random.Random(1)
total = 0.0


def customer(env, server):
    global total
    arrived = env.now
    with server.request() as request:
        yield request
        yield env.timeout(draw.expovariate(1.0))
    total += env.now - arrived


def source(env, server):
    for _ in range(customers):
        yield env.timeout(draw.expovariate(0.8))
        env.process(customer(env, server))


env = simpy.Environment()
env.process(source(env, simpy.Resource(env)))
started = time.process_time()
env.run()
print(customers / (time.process_time() - started), total / customers)
