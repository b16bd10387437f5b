import { z } from "zod";

const count = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
const cost = count;
const gain = z.int().min(Number.MIN_SAFE_INTEGER).max(Number.MAX_SAFE_INTEGER);
const name = z.string().min(1).max(128);
const figure = z.number().nullable();

const accountShape = {
  ownedUs: count.describe("Time in the measured interval for which the machine was there, up or not; of a class, added over its nodes."),
  revenueMsat: cost.describe("Billed for completed jobs, without a fee that clients pay on top; as elsewhere in the report."),
  electricityMsat: cost.describe("At the tariff of the hour; 0 where power or price is not stated."),
  depreciationMsat: cost.describe("Loss of value of an owned machine, in a straight line over its life."),
  rentMsat: cost,
  capitalMsat: cost.describe("Interest on the machine's mean book value."),
  stakeMsat: cost.describe("Interest on the stake."),
  maintenanceMsat: cost.describe("Upkeep, and the expected loss of machines."),
  bandwidthMsat: cost,
  routerFeesMsat: cost.describe("Router's fees that fell to the operator."),
  lightningFeesMsat: cost.describe("Lightning fees that fell to the operator."),
  costsMsat: cost.describe("The sum of the costs above, exactly; each is rounded up once per node."),
  profitMsat: gain.describe("revenueMsat - costsMsat."),
  profitMsatPerHour: figure.describe("Per hour for which a machine was there; null where none was."),
};

const figures = z.array(figure);

/** What operators earned, by class and node; and how many there were. */
export const supply = z.strictObject({
  operatorClasses: z.array(z.strictObject({
    name,
    unknown: z.array(z.enum(["electricity", "machine"])).describe("Costs that the scenario does not state, and that are therefore not counted."),
    ...accountShape,
  })),
  nodes: z.array(z.strictObject({ name, ...accountShape })).describe("In the order of the report's nodes; sums over a class's nodes are the class's figures exactly."),
  overTime: z.array(z.strictObject({
    name,
    nodes: figures.describe("Machines that were there, mean over the window."),
    revenueMsat: z.array(count).describe("Of the jobs that completed in the window."),
    costsMsat: z.array(count),
    profitMsatPerHour: figures.describe("Per hour for which a machine was there; null where none was."),
  })).describe("By operator class, in the windows of `overTime`, warm-up included. Jobs count when they complete, so that sums differ from the accounts at the edges of the measured interval."),
  entry: z.array(z.strictObject({
    name,
    potential: count.describe("Operators that could take part."),
    atStart: count,
    atEnd: count.describe("At the horizon, those about to leave included."),
    joins: count.describe("Decisions to join, warm-up included."),
    leaves: count.describe("Decisions to leave, warm-up included."),
    outsideMsatPerHour: figure.describe("Mean outside option at the start."),
    fixedMsatPerHour: count.describe("What a node costs per hour while it serves nothing, at the start."),
  })).describe("Classes whose operators come and go."),
  exchange: z.strictObject({
    rates: z.array(z.strictObject({ currency: z.enum(["USD", "EUR"]), start: z.number().min(0), end: z.number().min(0), least: z.number().min(0), most: z.number().min(0) })).describe("What a bitcoin was worth, from time 0 to the horizon."),
    relative: figures.describe("What a bitcoin was worth at the end of each window of `overTime`, relative to time 0."),
    requotes: count.describe("Times that prices in fiat money were converted and posted anew."),
    payments: count.describe("Payments whose worth was compared with that at their quote."),
    parties: z.array(z.strictObject({
      role: z.enum(["operators", "clients", "routers"]),
      name,
      inFiat: z.boolean().describe("Whether it counts in fiat money, and so bears what the rate does. Who counts in bitcoin is the other side of it, and feels nothing."),
      gainMsat: gain.describe("Received, or not paid, beyond what the payment was worth in fiat money when its price was set; in msat of the time of payment."),
      movedMsat: cost.describe("The same without signs."),
      jobs: count.describe("Payments between whose quote and settlement the rate moved."),
    })).describe("Gains sum to 0: what one side wins, another loses."),
    heldByFiatMsat: gain.describe("Sum of the gains of those who count in fiat money; its negative fell to those who count in bitcoin."),
  }).nullable().describe("Null where exchange rates stand still."),
});
export type Supply = z.infer<typeof supply>;
export type SupplyAccount = Omit<Supply["nodes"][number], "name">;
