import type { PricingPolicy } from "infernet-lab";

/**
 * Raises all posted prices by one factor that follows the queue: up while more than `queue` jobs per slot wait at the router,
 * down again while fewer do. A proportional-integral controller: it reacts to the queue as it is, and remembers what it took.
 */
const policy: PricingPolicy<{ queue: number; gain: number; memory: number; most: number }> = {
  options: {
    // Jobs that may wait for each slot.
    queue: 0.5,
    // How much of the price each job per slot beyond that adds at once ...
    gain: 1,
    // ... and how much of it stays, interval by interval.
    memory: 0.25,
    // The largest factor.
    most: 8,
  },
  openMarket({ options }) {
    let learnt = 0;
    return ({ waiting, slots }) => {
      if (slots === 0) return { factor: 1 };
      const excess = waiting / slots - options.queue;
      learnt = Math.min(options.most - 1, Math.max(0, learnt + options.memory * excess));
      return { factor: Math.min(options.most, Math.max(1, 1 + learnt + options.gain * Math.max(0, excess))) };
    };
  },
};

export default policy;
