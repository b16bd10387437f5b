import { describe, expect, test } from "vitest";
import { utilisation } from "../../protocol/messages.ts";
import { cpuTimes, memoryShare, UtilisationSampler, watchNvidia, watchRocm } from "./utilisation.ts";

describe("the sampler", () => {
  test("tells the mean since the reading before, in millionths", () => {
    let now = { busy: 100, total: 1_000 };
    let memory = 0.25;
    let tell: (share: number) => void = () => {};
    const sampler = new UtilisationSampler({ cpu: () => now, memory: () => memory, gpu: (onShare) => { tell = onShare; return () => { tell = () => {}; }; } });
    expect(sampler.read()).toBeUndefined();
    sampler.start();
    now = { busy: 150, total: 1_200 };
    expect(sampler.read()).toEqual({ cpuPpm: 250_000, memoryPpm: 250_000 });
    tell(0.2);
    tell(0.6);
    memory = 1.2;
    now = { busy: 250, total: 1_300 };
    expect(sampler.read()).toEqual({ cpuPpm: 1_000_000, gpuPpm: 400_000, memoryPpm: 1_000_000 });
    // The clock stands still: what was said last still holds.
    tell(1);
    expect(sampler.read()).toEqual({ cpuPpm: 1_000_000, gpuPpm: 400_000, memoryPpm: 1_000_000 });
    now = { busy: 240, total: 1_400 };
    expect(sampler.read()).toEqual({ cpuPpm: 0, gpuPpm: 1_000_000, memoryPpm: 1_000_000 });
    sampler.stop();
    tell(1);
    now = { busy: 250, total: 1_500 };
    expect(sampler.read()).toEqual({ cpuPpm: 100_000, memoryPpm: 1_000_000 });
  });

  test("of this machine, fits into a heartbeat", async () => {
    const sampler = new UtilisationSampler({ gpu: null });
    const until = cpuTimes().total + 20;
    while (cpuTimes().total < until) await new Promise((resolve) => setTimeout(resolve, 5));
    const reading = sampler.read();
    expect(utilisation.parse(reading)).toEqual(reading);
    expect(reading!.memoryPpm).toBeGreaterThan(0);
    expect(memoryShare()).toBeLessThan(1);
  });

  test("hears what a program beside it says, and ends it", async () => {
    const heard: number[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    const stop = watchNvidia((share) => { heard.push(share); if (heard.length === 3) resolve(); }, undefined, process.execPath, ["-e", "process.stdout.write('37\\n[N/A]\\n5'); setTimeout(() => console.log('0\\n100'), 20); setInterval(() => {}, 1000)"]);
    await promise;
    expect(heard).toEqual([0.37, 0.5, 1]);
    stop();
  });

  test("says nothing of graphics processors where there is no such program", async () => {
    await new Promise<void>((resolve) => void watchNvidia(() => expect.unreachable(), resolve, "infernet-no-such-program"));
  });

  test("asks rocm-smi again and again, as long as there is a card", async () => {
    const heard: number[] = [];
    let asked = 0;
    const { promise, resolve } = Promise.withResolvers<void>();
    const card = (busy: number): string => JSON.stringify({ card0: { "GPU use (%)": String(busy) }, card1: { "GPU use (%)": "N/A" } });
    const stop = watchRocm((share) => void heard.push(share), async () => {
      asked++;
      if (asked === 4) setTimeout(resolve, 20);
      return asked < 4 ? card(10 * asked) : null;
    }, 2);
    await promise;
    expect(heard).toEqual([0.1, 0.2, 0.3]);
    expect(asked).toBe(4);
    stop();
  });
});
