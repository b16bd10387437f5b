import type { Strategy } from "./strategy.ts";

/**
 * A quantity-setter (Cournot 1838): asks its marginal cost, so that the market's price is set by how much is offered, and
 * chooses how many jobs to take. It knows the price that it got, P, what it offered, q, and believes that every further job
 * offered takes b from the price: so the demand that the others leave it is A - b q with A = P + b q, and its best reply is
 * (A - c)/(2b). It goes a share of the way there at each decision, since all going all the way swing ever further where
 * there are more than three (Theocharis 1960); with n alike, any speed below 4/(n + 1) settles.
 *
 * Needs a market with one price for all: under posted prices it would just ask its cost.
 */
export function cournot(slopeMsat: number, speed: number, opening: number): Strategy {
  if (!(slopeMsat > 0)) throw new RangeError(`the slope of demand is above 0 msat per job, found ${slopeMsat}`);
  if (!(speed > 0 && speed <= 1)) throw new RangeError(`a speed is a share above 0, found ${speed}`);
  let quantity = opening;
  return {
    prices: ({ cost }) => cost,
    offer({ jobs, revenueMsat, costMsat, offered, slots }) {
      if (jobs === 0) return offered;
      const choke = revenueMsat / jobs + slopeMsat * offered;
      const reply = (choke - costMsat / jobs) / (2 * slopeMsat);
      quantity = bounded(quantity + speed * (reply - quantity), slots);
      return Math.round(quantity);
    },
  };
}

/**
 * Commits slots before demand is known (Arrow, Harris, Marschak 1951): the best number is the quantile (p - c)/p of demand,
 * p what a served job brings, c what a committed slot costs. The operator sees only what it sold: whether it was sold out,
 * not by how much. It goes up by step (p - c)/p when sold out and down by step c/p when not, which stands still, on average,
 * just where the chance to be sold out is c/p (Huh and Rusmevichientong 2009, Math. Oper. Res. 34).
 */
export function newsvendor(slotCostMsat: number, step: number, opening: number): Strategy {
  if (!(slotCostMsat >= 0)) throw new RangeError(`the cost of a slot is not negative, found ${slotCostMsat}`);
  if (!(step > 0)) throw new RangeError(`a step is above 0, found ${step}`);
  let quantity = opening;
  return {
    prices: ({ prices }) => prices,
    offer({ jobs, revenueMsat, offered, peak, slots }) {
      // Without a job it still knows that it was not sold out; what a job brings it has to have seen.
      const perJob = jobs === 0 ? slotCostMsat : revenueMsat / jobs;
      const costShare = perJob <= slotCostMsat ? 1 : slotCostMsat / perJob;
      quantity = bounded(quantity + step * ((peak >= offered ? 1 : 0) - costShare), slots);
      return Math.round(quantity);
    },
  };
}

function bounded(quantity: number, slots: number): number {
  return Math.min(slots, Math.max(1, quantity));
}
