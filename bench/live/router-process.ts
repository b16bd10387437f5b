/** A live router in a process of its own, for `bench/router.ts`: says where it is, and what it has used so far, whenever it is asked. */
import { createHash } from "node:crypto";
import { liveSigner } from "../../live/keys.ts";
import { useFastestCurve } from "../../live/native-curve.ts";
import { startRouter } from "../../live/process/router.ts";
import { LiveTelemetry } from "../../live/telemetry.ts";
import { MonotonicClock } from "../../live/clock.ts";
import { MemoryBank } from "../../live/wallet/memory.ts";

/** What the router's process tells. */
export interface RouterSays {
  readonly url: string;
  readonly peer: string;
  readonly curve: string;
  /** Processor time of the process so far, µs. */
  readonly cpuUs: number;
  readonly refused: number;
  readonly undelivered: number;
  readonly open: number;
  readonly heapBytes: number;
}

const signer = liveSigner(createHash("sha256").update(`bench router ${process.pid}`).digest());
const clock = new MonotonicClock();
let facts = 0;
const router = await startRouter({
  signer, clock, newKey: true, host: "127.0.0.1", port: 0,
  router: {
    policy: { kind: "weighted-score", weights: { price: 1, latency: 1, load: 1, reliability: 1 } }, fee: { shareBps: 100, flatMsat: 0 },
    staleAfterUs: 600_000_000, sweepUs: 1_000_000, attempts: 3, acceptTimeoutUs: 20_000_000, jobTimeoutUs: 60_000_000, queueLimit: 10_000, queueWaitUs: 20_000_000,
    circuitBreaker: { failures: 3, coolDownUs: 1_000_000, growth: 2, maxCoolDownUs: 60_000_000 }, quoteValidUs: 1_000_000,
  },
  limits: { envelopesPerS: 100_000 },
  wallet: new MemoryBank().wallet(signer.publicKey),
  telemetry: new LiveTelemetry({ clock, onEvent: () => void facts++ }),
  onFault: (error) => { throw error; },
});

const say = (): void => {
  const { user, system } = process.cpuUsage();
  const { refused, undelivered } = router.stats;
  const says: RouterSays = {
    url: router.url, peer: router.peer, curve: useFastestCurve().name, cpuUs: user + system,
    refused: Object.values(refused).reduce((sum, count) => sum + count, 0), undelivered, open: router.router.open, heapBytes: process.memoryUsage().heapUsed,
  };
  process.send!(says);
};
process.on("message", (what) => {
  if (what === "stop") void router.stop(0).then(() => process.exit());
  else say();
});
process.on("disconnect", () => process.exit());
say();
