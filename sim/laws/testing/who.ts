import type { PeerId } from "../../../protocol/messages.ts";
import type { Scenario } from "../../scenario/scenario.ts";
import { peerIdOf } from "../../world/identity.ts";
import { regionAt } from "../../world/regions.ts";
import { type NodePlan, planNodes } from "../../world/supply.ts";

/** The nodes of a run in plain mode, and how they are called where. */
export class Who {
  readonly plans: readonly NodePlan[];
  readonly planOfId = new Map<PeerId, NodePlan>();
  readonly planOfName = new Map<string, NodePlan>();
  readonly firstNode: number;
  readonly firstClient: number;
  /** By peer index. */
  readonly regions: readonly string[];

  constructor(scenario: Scenario, seed: number) {
    this.plans = planNodes(scenario, seed);
    for (const plan of this.plans) {
      this.planOfId.set(peerIdOf(seed, `node/${plan.entity}`), plan);
      this.planOfName.set(plan.name, plan);
    }
    this.firstNode = scenario.router.count;
    this.firstClient = this.firstNode + this.plans.length;
    this.regions = [
      ...Array.from({ length: scenario.router.count }, () => scenario.router.region),
      ...this.plans.map(({ region }) => region),
      ...scenario.clients.flatMap(({ count, regions }) => Array.from({ length: count }, (_, i) => regionAt(regions, i, count))),
    ];
  }

  isRouter(peer: number): boolean {
    return peer < this.firstNode;
  }

  isNode(peer: number): boolean {
    return peer >= this.firstNode && peer < this.firstClient;
  }
}
