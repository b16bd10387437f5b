import { expect, test } from "vitest";
import { utilisation } from "../../protocol/messages.ts";
import { until } from "../testing/peers.ts";
import { SmallMarket } from "../testing/small-market.ts";
import { UtilisationSampler } from "./utilisation.ts";

test("how busy a live node's machine is reaches its router, with every heartbeat anew", async () => {
  const market = await new SmallMarket().start();
  const sampler = new UtilisationSampler({ gpu: (onShare) => { onShare(0.5); return () => {}; } });
  sampler.start();
  try {
    await market.node({}, { utilisation: () => sampler.read(), heartbeatUs: 50_000 });
    const { registry } = market.router.router;
    await until(() => registry.utilisation[0] !== undefined, "the first reading");
    const first = registry.utilisation[0]!;
    expect(utilisation.parse(first)).toEqual(first);
    expect(first.memoryPpm).toBeGreaterThan(0);
    await until(() => registry.utilisation[0] !== first, "the next reading");
    expect(market.faults).toEqual([]);
  } finally {
    sampler.stop();
    await market.stop();
  }
});
