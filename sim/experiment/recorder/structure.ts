import type { StructureReport } from "../../../protocol/result/welfare.ts";
import { gini, herfindahl, lerner, lorenz } from "../welfare/structure.ts";
import type { WelfareAccounts } from "../welfare/accounts.ts";
import { type NodeTable, TALLY } from "./node-table.ts";
import { Sample } from "./sample.ts";
import type { RecorderSetup } from "./setup.ts";

/**
 * The market's structure from what was sold: no more than sums over nodes, and the sample of prices that is there anyway.
 * @param wasThere whether the node was in the market, up or not; operators that only might have joined have no part to be unequal.
 */
export function structureReport(setup: RecorderSetup, nodes: NodeTable, paid: Sample, accounts: WelfareAccounts | null, wasThere: (node: number) => boolean): StructureReport {
  const revenues = setup.nodes.map((_, node) => nodes.get(node, TALLY.revenueMsat));
  const byClass = setup.operatorClasses.map(() => 0);
  revenues.forEach((revenue, node) => { byClass[nodes.operatorClass(node)]! += revenue; });
  const shares = revenues.filter((revenue, node) => revenue > 0 || wasThere(node));
  const posted = new Sample();
  for (const { outputMsatPerMtok } of setup.nodes) if (outputMsatPerMtok !== null) posted.add(outputMsatPerMtok);
  return {
    paid: dispersion(paid),
    posted: dispersion(posted),
    lerner: accounts === null ? null : lerner(...accounts.lernerOf),
    hhi: { nodes: herfindahl(revenues), operatorClasses: herfindahl(byClass) },
    gini: gini(shares),
    lorenz: lorenz(shares),
    passThrough: accounts === null ? { slope: null, windows: 0 } : accounts.passThrough,
  };
}

function dispersion(sample: Sample): StructureReport["paid"] {
  const { count, mean, sd, p90 } = sample.summary();
  if (count === 0) return { count, mean, cv: null, p10: null, p90: null, ratio: null };
  const p10 = sample.quantile(0.1);
  return { count, mean, cv: mean === null || mean === 0 ? null : (sd ?? 0) / mean, p10, p90, ratio: p90 === null || p10 === 0 ? null : p90 / p10 };
}
