import { z } from "zod";

const count = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
const msat = z.int().min(Number.MIN_SAFE_INTEGER).max(Number.MAX_SAFE_INTEGER);
const amount = count;
const name = z.string().min(1).max(128);
const figure = z.number().nullable();
const share = z.number().min(0).max(1).nullable();

/** Deadweight loss by cause, whole msat, none negative. */
export const lossesByCause = z.strictObject({
  price: amount.describe("Worth more than it costs to serve, and not traded because the price was above what the client would pay."),
  budget: amount.describe("Withheld by the client because its budget for the period was spent."),
  rejection: amount.describe("Turned away for want of room."),
  congestion: amount.describe("Given up while waiting, before any work on it began."),
  abandonment: amount.describe("Given up by the client after work on it had begun."),
  failure: amount.describe("Lost by a node that failed, left, did not answer, or took an advance and did nothing."),
  nonpayment: amount.describe("Given up because the client did not pay in advance, or its payment failed on the way."),
  misallocation: amount.describe("Served at a dearer node than necessary, or in the place of something worth more, or although it was worth less than it cost."),
  waiting: amount.describe("What waiting took off the value of the jobs that were served."),
}).describe("What the market leaves of the first-best, by cause. Adds up to deadweightMsat exactly.");
export type LossesByCause = z.infer<typeof lossesByCause>;
export type LossCause = keyof LossesByCause;

const curvePoint = z.strictObject({
  perMtokMsat: z.number().min(0).describe("msat per million tokens."),
  mtokPerH: z.number().min(0).describe("Million tokens an hour."),
});
const curve = z.array(curvePoint).max(400);

/**
 * Who gains how much from the trade, and how much more there was to gain. Over the jobs submitted in the measured interval
 * that had ended when the run stopped.
 */
export const welfare = z.strictObject({
  jobs: count.describe("Jobs counted: ended, or withheld by their client."),
  delivered: count.describe("Of them those whose result reached the client."),
  valueMsat: amount.describe("What the delivered results were worth to their clients, at once."),
  costMsat: amount.describe("What serving them cost the operators: private marginal costs of the moment when the result arrived, rounded up job by job."),
  waitingMsat: amount.describe("What waiting took off that value."),
  consumerSurplusMsat: msat.describe("Value less waiting less all that clients paid, router's fees and Lightning fees included."),
  operatorSurplusMsat: msat.describe("What nodes received less their marginal costs; investments and idle power are not in it."),
  routerRevenueMsat: msat.describe("What routers received."),
  routingFeesMsat: msat.describe("What the Lightning network received."),
  totalMsat: msat.describe("The four together = value - waiting - cost, exactly."),
  firstBestMsat: msat.describe("What a planner who knows all values and costs could have reached."),
  shareReached: figure.describe("totalMsat / firstBestMsat; null where there was nothing to reach. Negative where more was lost than won."),
  deadweightMsat: amount.describe("firstBestMsat - totalMsat, exactly."),
  losses: lossesByCause,
  planner: z.strictObject({
    windowUs: count.describe("The planner may put a job off within windows of this length, no further: about as long as clients are patient."),
    windows: count,
    ownWindows: count.describe("Windows in which the market did better than the planner's method, so that the market's own plan counts as first-best."),
  }),
  clientClasses: z.array(z.strictObject({ name, jobs: count, delivered: count, valueMsat: amount, waitingMsat: amount, paidMsat: msat, surplusMsat: msat })),
  operatorClasses: z.array(z.strictObject({ name, receivedMsat: msat, costMsat: amount, surplusMsat: msat })),
  curves: z.strictObject({
    demand: curve.describe("How much is worth at least so much to clients; from the most valuable on."),
    supply: curve.describe("How much nodes can do at a marginal cost of at most so much; from the cheapest on, at full batches while up. Where costs move, at those of the start of the measured interval."),
    asked: curve.describe("The same by the price posted at the start."),
    traded: curvePoint.nullable().describe("What was delivered, and what was paid for it on average, fees included."),
  }).describe("Demand and supply of the measured interval, per million tokens, input and output together."),
}).describe("Null where a client class states neither what its jobs are worth nor a maximum price, and where amounts come to 2^53 msat or more.");
export type WelfareReport = z.infer<typeof welfare>;

const dispersion = z.strictObject({
  count, mean: figure,
  cv: figure.describe("Standard deviation over mean."),
  p10: figure, p90: figure,
  ratio: figure.describe("p90 / p10."),
});

/** How concentrated the market is, and how far prices are from costs and from each other. */
export const structure = z.strictObject({
  paid: dispersion.describe("Price per million tokens over completed jobs, fees included; quantiles within 0.5 %."),
  posted: dispersion.describe("Posted price of output tokens over nodes, at the start."),
  lerner: figure.describe("(price - marginal cost) / price over all that was sold (Lerner 1934); null where costs are not accounted for."),
  hhi: z.strictObject({
    nodes: share, operatorClasses: share,
  }).describe("Herfindahl-Hirschman index of revenue: sum of squared shares, 1/n to 1."),
  gini: z.number().min(0).max(1).nullable().describe("Of revenue over nodes: 0 all alike, towards 1 one has everything."),
  lorenz: z.array(z.strictObject({ population: z.number().min(0).max(1), share: z.number().min(0).max(1) })).max(101).describe("What share of all revenue the nodes that earn least have."),
  passThrough: z.strictObject({
    slope: figure.describe("Rise of the mean price paid per token over the rise of the mean marginal cost per token of what was sold: slope over the spells between two changes of costs, weighted by tokens. Null where costs stand still."),
    windows: count.describe("The planner's windows in which something was sold."),
  }),
});
export type StructureReport = z.infer<typeof structure>;
