import { z } from "zod";

const count = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
const msat = count;
const means = z.array(z.number().nullable());

/** Ways to lose money in settlement, each with the side that bears it. */
export const LOSS_CAUSES = [
  { cause: "client-did-not-pay", bearer: "node" },
  { cause: "insufficient-balance", bearer: "node" },
  { cause: "no-liquidity", bearer: "node" },
  { cause: "payment-failed", bearer: "node" },
  { cause: "node-offline", bearer: "node" },
  { cause: "invoice-expired", bearer: "node" },
  { cause: "escrow-timeout", bearer: "node" },
  { cause: "client-left", bearer: "node" },
  { cause: "not-delivered", bearer: "client" },
  { cause: "came-too-late", bearer: "client" },
  { cause: "node-failed", bearer: "client" },
  { cause: "not-refunded", bearer: "client" },
] as const;
export type LossCause = (typeof LOSS_CAUSES)[number]["cause"];

const level = z.strictObject({
  peakMsat: z.number().min(0),
  meanMsat: z.number().min(0).describe("Time-weighted, over the whole run."),
  endMsat: z.number().min(0).describe("When the run stopped."),
});

export const settlementReport = z.strictObject({
  arrangements: z.array(z.string().max(32)).describe("How jobs were paid: postpay, prepay, escrow, streaming; one per client class."),
  routerFeeBearer: z.enum(["client", "operator"]),
  routingFeeBearer: z.enum(["payer", "payee", "router"]),
  capitalPerYear: z.number().min(0).describe("Cost of capital per year, as a share."),
  deliveredMsat: msat.describe("Value of the output that reached clients, at its nodes' prices."),
  paidMsat: msat.describe("That reached nodes for jobs, advances included."),
  refundedMsat: msat.describe("That clients got back of advances."),
  exposure: z.strictObject({
    deliveredUnpaid: level.describe("Delivered, neither paid nor locked for the node: what nodes stand to lose."),
    paidUndelivered: level.describe("Paid, neither delivered nor paid back: what clients stand to lose."),
  }),
  locked: z.strictObject({
    inFlight: level.describe("In payments under way."),
    held: level.describe("In hold invoices."),
    costMsat: msat.describe("What both cost at the cost of capital, rounded up."),
  }),
  channels: z.strictObject({
    peers: count, capacityMsat: msat,
    costMsat: msat.describe("What their whole capacity costs over the run at the cost of capital, rounded up."),
  }).nullable().describe("Null where liquidity is without bounds."),
  losses: z.array(z.strictObject({
    cause: z.enum([...LOSS_CAUSES.map(({ cause }) => cause), "fee-not-paid"]),
    bearer: z.enum(["client", "node", "router"]),
    jobs: count,
    msat: msat.describe("Less what came after all."),
  })),
  recovered: z.strictObject({ clientsMsat: msat, nodesMsat: msat }).describe("Given up, and paid after all: no longer in `losses`."),
  routerFees: z.strictObject({ billedMsat: msat, paidMsat: msat }),
  routing: z.strictObject({ routersMsat: msat, nodesMsat: msat, clientsMsat: msat, rebalancingMsat: msat.describe("Paid for moving channels' balances.") }).describe("Lightning's routing fees by who bore them."),
  payments: z.strictObject({
    arrived: count,
    failed: z.array(z.strictObject({ reason: z.string().max(64), payments: count, msat })).describe("Tries that came to nothing, by reason."),
  }),
  disputes: count.describe("Sent to routers."),
  overTime: z.strictObject({
    windowUs: count,
    deliveredUnpaidMsat: means,
    paidUndeliveredMsat: means,
    lockedMsat: means,
  }).describe("Means of equal windows up to the horizon."),
}).describe("How money stood between those who trust each other with it, over the whole run, warm-up and drain included. Every run checks that these figures and the accounts' changes agree to the millisatoshi.");
export type SettlementReport = z.infer<typeof settlementReport>;
