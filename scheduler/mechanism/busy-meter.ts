import type { Registry } from "../registry.ts";

interface Model {
  jobs: number;
  jobUs: number;
  sinceUs: number;
}

/** Mean number of a router's jobs at nodes, model by model, from one reading to the next. */
export class BusyMeter {
  readonly #models = new Map<string, Model>();
  #readUs = 0;

  /** One job more or less at a node. */
  change(model: string, by: 1 | -1, nowUs: number): void {
    let row = this.#models.get(model);
    if (row === undefined) this.#models.set(model, (row = { jobs: 0, jobUs: 0, sinceUs: this.#readUs }));
    row.jobUs += row.jobs * (nowUs - row.sinceUs);
    row.sinceUs = nowUs;
    row.jobs += by;
  }

  /** Mean since the last {@link BusyMeter.restart}. */
  mean(model: string, nowUs: number): number {
    const row = this.#models.get(model);
    if (row === undefined || nowUs === this.#readUs) return row?.jobs ?? 0;
    return (row.jobUs + row.jobs * (nowUs - row.sinceUs)) / (nowUs - this.#readUs);
  }

  /** Forgets models that have had no job since the last {@link BusyMeter.restart}. */
  forgetModels(): void {
    for (const [model, { jobs, jobUs }] of this.#models) if (jobs === 0 && jobUs === 0) this.#models.delete(model);
  }

  /** Begins anew. */
  restart(nowUs: number): void {
    this.#readUs = nowUs;
    for (const row of this.#models.values()) {
      row.jobUs = 0;
      row.sinceUs = nowUs;
    }
  }
}

/** What a market has for a job: slots of the nodes that serve it and can be reached, this router's jobs there, and others' as far as it knows. */
export interface Capacity {
  readonly slots: number;
  readonly own: number;
  readonly others: number;
  readonly nodes: number;
  /** How many nodes more there are that do not serve it at the going price. */
  readonly unwilling: number;
}

/** Looks at a market with the eyes of a job of this length. */
export function capacityOf(registry: Registry, model: string, freshFromUs: number, inputTokens: number, maxOutputTokens: number): Capacity {
  const market = registry.market(model);
  let slots = 0;
  let own = 0;
  let others = 0;
  let nodes = 0;
  let unwilling = 0;
  for (let offer = 0; offer < market.count; offer++) {
    const n = market.node[offer]!;
    if (registry.lastSeenUs[n]! < freshFromUs || registry.accepting[n] === 0 || registry.banned[n] !== 0) continue;
    if (!market.serves(offer, inputTokens, maxOutputTokens)) {
      unwilling++;
      continue;
    }
    slots += registry.slots[n]!;
    own += registry.own[n]!;
    others += registry.others[n]!;
    nodes++;
  }
  return { slots, own, others, nodes, unwilling };
}
