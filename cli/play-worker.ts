import { parentPort } from "node:worker_threads";
import { startPlay } from "../sim/experiment/viability/market.ts";
import type { Play } from "../sim/experiment/viability/market.ts";
import type { PlayNews } from "./play-pool.ts";

/** Time between two words of progress, ms. */
const wordMs = 100;

const say = (news: PlayNews): void => parentPort!.postMessage(news);

/** A thread that plays the markets it is sent, one after the other. */
parentPort!.on("message", (what: Play) => {
  try {
    const { run, outcome } = startPlay(what);
    let saidMs = performance.now();
    while (!run.step()) {
      if (performance.now() - saidMs < wordMs) continue;
      saidMs = performance.now();
      const { nowUs, horizonUs } = run.progress;
      say({ kind: "progress", share: Math.min(0.99, nowUs / horizonUs) });
    }
    say({ kind: "done", outcome: outcome() });
  } catch (error) {
    const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
    say({ kind: "failed", name, message, stack: stack ?? "" });
  }
});
