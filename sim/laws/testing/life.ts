import type { Message } from "../../../protocol/messages.ts";
import type { Played } from "./play.ts";
import { Violation } from "./violation.ts";
import { Who } from "./who.ts";

/** What a participant learnt and what it did, each with its time and in order. */
export interface Life {
  /** Messages heard, words of its runner and its wallet, and jobs its user wants: all that it can know of the world. */
  readonly inputs: readonly Step[];
  /** Messages said, timers set, jobs handed to the runner, payments made. */
  readonly outputs: readonly Step[];
}

export interface Step {
  readonly atUs: number;
  readonly what: string;
}

/**
 * The lives of all participants of a run, by peer index.
 * @param runnersAreRead whether what a node reads off its own runner, and tells in its heartbeats, counts as learnt.
 */
export function livesOf({ scenario, seed, seen }: Played, runnersAreRead = false): Life[] {
  const who = new Who(scenario, seed);
  const lives: { inputs: Step[]; outputs: Step[] }[] = [];
  const of = (peer: number): { inputs: Step[]; outputs: Step[] } => (lives[peer] ??= { inputs: [], outputs: [] });
  for (const entry of seen) {
    switch (entry.kind) {
      case "deliver": of(entry.peer).inputs.push({ atUs: entry.atUs, what: `${entry.sender} says ${JSON.stringify(entry.message)}` }); break;
      case "runner-event": of(entry.peer).inputs.push({ atUs: entry.atUs, what: JSON.stringify(entry.event) }); break;
      case "wallet-event": of(entry.peer).inputs.push({ atUs: entry.atUs, what: JSON.stringify(entry.event) }); break;
      case "send":
        // A client's job is what its user asked of it.
        if (entry.peer >= who.firstClient && entry.message.type === "job") of(entry.peer).inputs.push({ atUs: entry.atUs, what: JSON.stringify(entry.message) });
        if (runnersAreRead && entry.message.type === "heartbeat") of(entry.peer).inputs.push({ atUs: entry.atUs, what: `${entry.message.running} ${entry.message.waiting} ${entry.message.kvTokensUsed}` });
        of(entry.peer).outputs.push({ atUs: entry.atUs, what: `to ${entry.to}: ${JSON.stringify(entry.message)}` });
        break;
      case "timer-set": of(entry.peer).outputs.push({ atUs: entry.atUs, what: `in ${entry.delayUs} us: ${JSON.stringify(entry.timer)}` }); break;
      case "runner-job": of(entry.peer).outputs.push({ atUs: entry.atUs, what: JSON.stringify(entry.job) }); break;
      case "pay": of(entry.peer).outputs.push({ atUs: entry.atUs, what: `pays ${entry.amountMsat} msat for ${entry.jobId}` }); break;
      case "asked-to-leave": of(entry.peer).inputs.push({ atUs: entry.atUs, what: entry.kind }); break;
      case "node-down":
      case "node-up": of(who.firstNode + who.plans.findIndex(({ name }) => name === entry.node)).inputs.push({ atUs: entry.atUs, what: entry.kind }); break;
      default:
    }
  }
  return lives;
}

/** Until when two lists of steps are the same, µs; Infinity where they are to their end. */
function sameUntilUs(a: readonly Step[], b: readonly Step[]): number {
  for (let i = 0; i < a.length || i < b.length; i++) {
    const one = a[i];
    const other = b[i];
    if (one === undefined || other === undefined || one.atUs !== other.atUs || one.what !== other.what) return Math.min(one?.atUs ?? Infinity, other?.atUs ?? Infinity);
  }
  return Infinity;
}

export interface Compared {
  /** Things done that were compared. */
  readonly compared: number;
  /** Participants who did something else after they had learnt something else. */
  readonly reacted: number;
}

/**
 * As long as a participant learns the same in two worlds, it does the same in both, however they differ otherwise.
 * @param endUs when the first of the two came to its end, µs.
 * @throws Violation where one does something else before it has learnt anything else.
 */
export function sameUntilTold(one: readonly Life[], two: readonly Life[], endUs: number): Compared {
  const [a, b] = [one, two].map((lives) => lives.map(({ inputs, outputs }): Life => ({ inputs: inputs.filter(({ atUs }) => atUs < endUs), outputs: outputs.filter(({ atUs }) => atUs < endUs) }))) as [Life[], Life[]];
  let compared = 0;
  let reacted = 0;
  a.forEach((life, peer) => {
    const other = b[peer] ?? { inputs: [], outputs: [] };
    const toldUs = sameUntilUs(life.inputs, other.inputs);
    const didUs = sameUntilUs(life.outputs, other.outputs);
    if (didUs < toldUs) {
      const step = life.outputs.find(({ atUs, what }, i) => what !== other.outputs[i]?.what || atUs !== other.outputs[i]?.atUs);
      throw new Violation(`peer ${peer} acts differently at ${didUs} us, and is told of no difference before ${toldUs} us: ${step?.what.slice(0, 200)}`);
    }
    if (didUs < Infinity) reacted++;
    compared += life.outputs.filter(({ atUs }) => atUs < toldUs).length;
  });
  return { compared, reacted };
}

/** Makes a message immutable, with all that it holds: what one participant changed, another would see without being told. */
export function freeze(message: Message): Message {
  const walk = (value: unknown): void => {
    if (typeof value !== "object" || value === null || Object.isFrozen(value)) return;
    Object.freeze(value);
    for (const part of Object.values(value)) walk(part);
  };
  walk(message);
  return message;
}
