import type { RunReport } from "../../protocol/result.ts";
import type { WelfareReport } from "../../protocol/result/welfare.ts";

/** Accounts in which every line has something: 1,000 possible, 700 reached. */
export const someWelfare: WelfareReport = {
  jobs: 120, delivered: 90, valueMsat: 1_150, costMsat: 440, waitingMsat: 10,
  consumerSurplusMsat: 420, operatorSurplusMsat: 250, routerRevenueMsat: 25, routingFeesMsat: 5, totalMsat: 700, firstBestMsat: 1_000, shareReached: 0.7, deadweightMsat: 300,
  losses: { price: 130, budget: 20, rejection: 40, congestion: 30, abandonment: 20, failure: 15, nonpayment: 5, misallocation: 30, waiting: 10 },
  planner: { windowUs: 120_000_000, windows: 12, ownWindows: 2 },
  clientClasses: [{ name: "chat", jobs: 80, delivered: 60, valueMsat: 900, waitingMsat: 10, paidMsat: 500, surplusMsat: 390 }, { name: "batch", jobs: 40, delivered: 30, valueMsat: 250, waitingMsat: 0, paidMsat: 220, surplusMsat: 30 }],
  operatorClasses: [{ name: "a", receivedMsat: 600, costMsat: 300, surplusMsat: 300 }, { name: "b", receivedMsat: 90, costMsat: 140, surplusMsat: -50 }],
  curves: {
    demand: [{ perMtokMsat: 90_000, mtokPerH: 1 }, { perMtokMsat: 40_000, mtokPerH: 5 }, { perMtokMsat: 20_000, mtokPerH: 9 }, { perMtokMsat: 5_000, mtokPerH: 12 }],
    supply: [{ perMtokMsat: 3_000, mtokPerH: 6 }, { perMtokMsat: 12_000, mtokPerH: 15 }],
    asked: [{ perMtokMsat: 15_000, mtokPerH: 8 }, { perMtokMsat: 400_000, mtokPerH: 15 }],
    traded: { perMtokMsat: 16_000, mtokPerH: 8 },
  },
};

/** With accounts of every kind that plots and texts have to bear, by name. */
export function withWelfare(report: RunReport): Readonly<Record<string, RunReport>> {
  const nothing = { price: 0, budget: 0, rejection: 0, congestion: 0, abandonment: 0, failure: 0, nonpayment: 0, misallocation: 0, waiting: 0 };
  return {
    "gains and losses of all kinds": { ...report, welfare: someWelfare },
    "nothing lost": { ...report, welfare: { ...someWelfare, firstBestMsat: 700, shareReached: 1, deadweightMsat: 0, losses: nothing } },
    "nothing to gain": { ...report, welfare: { ...someWelfare, valueMsat: 0, costMsat: 0, waitingMsat: 0, consumerSurplusMsat: 0, operatorSurplusMsat: 0, routerRevenueMsat: 0, routingFeesMsat: 0, totalMsat: 0, firstBestMsat: 0, shareReached: null, deadweightMsat: 0, losses: nothing, curves: { demand: [], supply: [], asked: [], traded: null } } },
    "more lost than won": { ...report, welfare: { ...someWelfare, consumerSurplusMsat: -800, totalMsat: -520, deadweightMsat: 1_520, shareReached: -0.52, losses: { ...someWelfare.losses, misallocation: 1_250 } } },
    "free jobs and no supply": { ...report, welfare: { ...someWelfare, curves: { demand: [{ perMtokMsat: 0, mtokPerH: 3 }], supply: [], asked: [{ perMtokMsat: 0, mtokPerH: 2 }], traded: { perMtokMsat: 0, mtokPerH: 3 } } } },
  };
}
