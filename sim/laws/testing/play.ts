import type { Message, PeerId } from "../../../protocol/messages.ts";
import type { JobRow, RunReport } from "../../../protocol/result.ts";
import { Client } from "../../../scheduler/client.ts";
import type { Decision, RunnerEvent, RunnerJob, Timer, WalletEvent } from "../../../scheduler/environment.ts";
import { Node } from "../../../scheduler/node.ts";
import { Router } from "../../../scheduler/router.ts";
import { type RunOptions, SimulatedRun } from "../../experiment/run.ts";
import type { Scenario } from "../../scenario/scenario.ts";
import { checkedEnvelopes, plainEnvelopes, SignedEnvelopes } from "../../world/envelopes.ts";
import { SimulatedEnvironment } from "../../world/environment.ts";
import { Mail } from "../../world/mail.ts";
import { Lightning } from "../../world/money/lightning.ts";
import { Oracle } from "../../world/oracle.ts";
import { SimulatedRunner } from "../../world/runner.ts";
import type { MarketEvent } from "../../../protocol/result/market-event.ts";
import { SimulatedTelemetry } from "../../world/telemetry.ts";
import { World } from "../../world/world.ts";
import { type Fault, patch, withPatches } from "./patches.ts";

/** What a witness saw, in the order in which it happened. Peers are indexes: routers, then nodes, then clients. */
export type Seen =
  /** A participant sends. */
  | { readonly kind: "send"; readonly atUs: number; readonly peer: number; readonly to: PeerId; readonly message: Message }
  /** The message just sent leaves its sender and is going to arrive. */
  | { readonly kind: "post"; readonly atUs: number; readonly peer: number; readonly to: number; readonly departUs: number; readonly arrivalUs: number; readonly message: Message }
  /** A participant is about to receive. */
  | { readonly kind: "deliver"; readonly atUs: number; readonly peer: number; readonly from: PeerId; readonly sender: number; readonly message: Message }
  | { readonly kind: "timer-set"; readonly atUs: number; readonly peer: number; readonly delayUs: number; readonly timer: Timer }
  | { readonly kind: "runner-job"; readonly atUs: number; readonly peer: number; readonly job: RunnerJob }
  | { readonly kind: "runner-event"; readonly atUs: number; readonly peer: number; readonly event: RunnerEvent }
  | { readonly kind: "pay"; readonly atUs: number; readonly peer: number; readonly jobId: string; readonly purpose: string; readonly amountMsat: number }
  | { readonly kind: "wallet-event"; readonly atUs: number; readonly peer: number; readonly event: WalletEvent }
  | { readonly kind: "attempt-failed"; readonly atUs: number; readonly jobId: string; readonly node: PeerId; readonly attempt: number; readonly reason: string }
  | { readonly kind: "decided"; readonly atUs: number; readonly decision: Decision }
  /** A router has swept: looked for stale nodes and for waiting jobs to place. */
  | { readonly kind: "swept"; readonly atUs: number; readonly peer: number }
  /** Its operator wants the node to leave once it has finished what it holds. */
  | { readonly kind: "asked-to-leave"; readonly atUs: number; readonly peer: number }
  /** A node has left without a word, or for good; or it is back. */
  | { readonly kind: "node-down" | "node-up"; readonly atUs: number; readonly node: string };

/** What only the simulator knows of a job. */
export interface Truth {
  readonly outputTokens: number;
  readonly maxOutputTokens: number;
  /** From which a service-time engine draws the job's work. */
  readonly workSeed: number;
}

export interface Played {
  readonly scenario: Scenario;
  readonly seed: number;
  readonly report: RunReport;
  readonly rows: readonly JobRow[];
  readonly events: readonly MarketEvent[];
  readonly seen: readonly Seen[];
  readonly truth: ReadonlyMap<string, Truth>;
  readonly world: World;
}

export interface PlayOptions extends RunOptions {
  readonly faults?: readonly Fault[];
  /** Called after all events of each moment. Its errors end the run. */
  readonly eachMoment?: (world: World, seen: readonly Seen[]) => void;
  /** Called before the first event. */
  readonly before?: (world: World) => void;
}

const everyJob: ReadonlySet<string> = Object.assign(new Set<string>(), { has: () => true });

/** Plays a scenario to its end under the eyes of a witness who reads every message, timer, payment and word of a runner. */
export function play(scenario: Scenario, options: PlayOptions = {}): Played {
  const { faults = [], eachMoment, before, ...runOptions } = options;
  const seen: Seen[] = [];
  const rows: JobRow[] = [];
  const events: MarketEvent[] = [];
  const truth = new Map<string, Truth>();
  // The witness stands closest to the participants, so that what a fault does to the world is seen as they see it.
  return withPatches([...faults, () => witness(seen, truth)], () => {
    const run = new SimulatedRun(scenario, {
      explain: everyJob,
      ...runOptions,
      onJobRow: (row) => { rows.push({ ...row }); runOptions.onJobRow?.(row); },
      onEvent: (event) => {
        events.push(event);
        if (event.event === "node-down" || event.event === "node-up") seen.push({ kind: event.event, atUs: event.atUs, node: event.node });
        runOptions.onEvent?.(event);
      },
      onDecision: (decision, atUs) => { seen.push({ kind: "decided", atUs, decision }); runOptions.onDecision?.(decision, atUs); },
    });
    const { world } = run;
    before?.(world);
    if (eachMoment === undefined) while (!run.step());
    else {
      const { kernel } = world;
      do eachMoment(world, seen); while (!run.step(Math.max(0, Math.min(kernel.nextUs, scenario.horizonUs > kernel.nowUs ? scenario.horizonUs : Infinity) - kernel.nowUs)));
      eachMoment(world, seen);
    }
    const report = run.finish();
    return { scenario, seed: runOptions.seed ?? scenario.seed, report, rows, events, seen, truth, world };
  });
}

function witness(seen: Seen[], truth: Map<string, Truth>): () => void {
  let departUs = 0;
  let sent: Message | null = null;
  let receiver = -1;
  let speaker: PeerId = "";
  const indexes = new Map<PeerId, number>();
  let clock: { readonly nowUs: number } = { nowUs: 0 };
  const opened = (atUs: number, peer: number, from: PeerId, message: Message | null): Message | null => {
    receiver = peer;
    if (message !== null) seen.push({ kind: "deliver", atUs, peer, from, sender: indexes.get(from) ?? -1, message });
    return message;
  };
  const walletEvent = (participant: object, event: WalletEvent): void => void seen.push({ kind: "wallet-event", atUs: clock.nowUs, peer: peerOf.get(participant) ?? -1, event });
  const peerOf = new Map<object, number>();
  const restores = [
    patch(SimulatedEnvironment.prototype, "send", (original) => function (this: SimulatedEnvironment, to, message) {
      speaker = this.self;
      original.call(this, to, message);
    }),
    patch(World.prototype, "send", (original) => function (this: World, from, to, message) {
      clock = this.kernel;
      indexes.set(speaker, from);
      seen.push({ kind: "send", atUs: this.kernel.nowUs, peer: from, to, message });
      original.call(this, from, to, message);
    }),
    ...[plainEnvelopes, checkedEnvelopes, SignedEnvelopes.prototype].flatMap((envelopes) => [
      patch(envelopes, "seal", (original) => function (this: unknown, from, to, message, leavesUs) {
        departUs = leavesUs;
        sent = message;
        return original.call(this as never, from, to, message, leavesUs) as never;
      }),
      patch(envelopes, "open", (original) => function (this: unknown, to, from, parcel, nowUs) {
        return opened(nowUs, to, from, original.call(this as never, to, from, parcel, nowUs)) as never;
      }),
    ]),
    patch(Mail.prototype, "post", (original) => function (this: Mail, eventKind, arrivalUs, from, to, parcel) {
      seen.push({ kind: "post", atUs: clock.nowUs, peer: from, to, departUs, arrivalUs, message: sent! });
      return original.call(this, eventKind, arrivalUs, from, to, parcel);
    }),
    patch(World.prototype, "after", (original) => function (this: World, peer, delayUs, timer) {
      seen.push({ kind: "timer-set", atUs: this.kernel.nowUs, peer, delayUs, timer });
      return original.call(this, peer, delayUs, timer);
    }),
    patch(World.prototype, "deliverRunner", (original) => function (this: World, peer, event) {
      seen.push({ kind: "runner-event", atUs: this.kernel.nowUs, peer, event });
      original.call(this, peer, event);
    }),
    patch(SimulatedRunner.prototype, "submit", (original) => function (this: SimulatedRunner, job) {
      seen.push({ kind: "runner-job", atUs: clock.nowUs, peer: receiver, job });
      original.call(this, job);
    }),
    patch(Lightning.prototype, "pay", (original) => function (this: Lightning, payer, request, random) {
      seen.push({ kind: "pay", atUs: clock.nowUs, peer: payer, jobId: request.jobId, purpose: request.purpose, amountMsat: request.amountMsat });
      original.call(this, payer, request, random);
    }),
    patch(Client.prototype, "onWallet", (original) => function (this: Client, event) { walletEvent(this, event); original.call(this, event); }),
    patch(Node.prototype, "onWallet", (original) => function (this: Node, event) { walletEvent(this, event); original.call(this, event); }),
    patch(Node.prototype, "shutDown", (original) => function (this: Node) { seen.push({ kind: "asked-to-leave", atUs: clock.nowUs, peer: peerOf.get(this) ?? -1 }); original.call(this); }),
    patch(SimulatedTelemetry.prototype, "attemptFailed", (original) => function (this: SimulatedTelemetry, jobId, node, attempt, reason) {
      seen.push({ kind: "attempt-failed", atUs: clock.nowUs, jobId, node, attempt, reason });
      original.call(this, jobId, node, attempt, reason);
    }),
    patch(Router.prototype, "onTimer", (original) => function (this: Router, timer) {
      original.call(this, timer);
      if (timer.kind === "sweep") seen.push({ kind: "swept", atUs: clock.nowUs, peer: peerOf.get(this) ?? -1 });
    }),
    patch(Node.prototype, "start", (original) => function (this: Node) {
      original.call(this);
      // Its descriptor has just gone out.
      peerOf.set(this, indexes.get(speaker)!);
    }),
    patch(World.prototype, "run", (original) => function (this: World, untilUs) {
      clock = this.kernel;
      if (peerOf.get(this.routers[0]!) === undefined) {
        this.routers.forEach((router, index) => peerOf.set(router, index));
        this.clients.forEach((client, index) => peerOf.set(client, this.routers.length + this.runners.length + index));
      }
      original.call(this, untilUs);
    }),
    patch(Oracle.prototype, "add", (original) => function (this: Oracle, id, clientClass, user, outputTokens, maxOutputTokens, workSeed) {
      truth.set(id, { outputTokens, maxOutputTokens, workSeed });
      return original.call(this, id, clientClass, user, outputTokens, maxOutputTokens, workSeed);
    }),
  ];
  return () => { for (const restore of restores.reverse()) restore(); };
}
