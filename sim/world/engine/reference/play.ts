import type { Engine, EngineSink } from "../engine.ts";

/** Something that the caller of an engine does, `gapUs` after the previous thing. */
export type Act = { readonly gapUs: number; /** Take the engine's news of that very moment first. */ readonly advanceFirst: boolean } & (
  | { readonly do: "submit"; readonly input: number; readonly output: number; readonly priority: number }
  /** Cancels one of the jobs alive: the `which`-th, counted round. */
  | { readonly do: "cancel"; readonly which: number }
  | { readonly do: "clear" }
  | { readonly do: "speed" | "share"; readonly factor: number; readonly promptFactor?: number }
);

export interface Played {
  /** Everything the sink heard, such as `{ kind: "finished", ref: 3, atUs: 1200 }`. */
  readonly events: readonly { readonly kind: string; readonly ref: number; readonly atUs: number }[];
  /** What the engine said of itself after every act. */
  readonly samples: readonly { readonly atUs: number; readonly figures: readonly number[] }[];
}

/** Plays the acts to an engine and then lets it run dry. Jobs that cannot fit are left out. */
export function play(engine: Engine, acts: readonly Act[]): Played {
  const events: { kind: string; ref: number; atUs: number }[] = [];
  const samples: { atUs: number; figures: number[] }[] = [];
  const alive: number[] = [];
  const hear = (kind: string) => (ref: number, atUs: number): void => void events.push({ kind, ref, atUs });
  const sink: EngineSink = {
    started: hear("started"),
    firstToken: hear("firstToken"),
    preempted: hear("preempted"),
    finished(ref, atUs) {
      events.push({ kind: "finished", ref, atUs });
      alive.splice(alive.indexOf(ref), 1);
    },
  };
  let nowUs = 0;
  let refs = 0;
  for (const act of acts) {
    nowUs += act.gapUs;
    while (engine.nextUs < nowUs) engine.advance(engine.nextUs, sink);
    if (act.advanceFirst) engine.advance(nowUs, sink);
    if (act.do === "submit") {
      const ref = refs++;
      if (engine.fits(act.input, act.output)) {
        engine.submit(nowUs, ref, act.input, act.output, act.priority);
        alive.push(ref);
      }
    } else if (act.do === "cancel") {
      const ref = alive[act.which % Math.max(1, alive.length)];
      const known = ref !== undefined && engine.cancel(nowUs, ref);
      if (known) alive.splice(alive.indexOf(ref), 1);
      events.push({ kind: `cancel ${known}`, ref: ref ?? -1, atUs: nowUs });
    } else if (act.do === "clear") {
      engine.clear(nowUs);
      alive.length = 0;
    } else if (act.do === "share") engine.setShare(nowUs, act.factor, act.promptFactor);
    else engine.setSpeed(nowUs, act.factor);
    samples.push({
      atUs: nowUs,
      figures: [engine.busyUs(nowUs), engine.runningUs(nowUs), engine.kvTokenUs(nowUs), engine.running, engine.waiting, engine.kvTokensUsed],
    });
  }
  while (engine.nextUs < Infinity) {
    nowUs = engine.nextUs;
    engine.advance(nowUs, sink);
  }
  samples.push({ atUs: nowUs, figures: [engine.busyUs(nowUs), engine.runningUs(nowUs), engine.kvTokenUs(nowUs), engine.running, engine.waiting, alive.length] });
  return { events, samples };
}

/** The first difference beyond `toleranceUs` per event (and 1e-9 relative per figure) in words; "" where there is none. */
export function difference(ours: Played, theirs: Played, toleranceUs: number): string {
  for (let at = 0; at < Math.max(ours.events.length, theirs.events.length); at++) {
    const a = ours.events[at];
    const b = theirs.events[at];
    if (a?.kind !== b?.kind || a?.ref !== b?.ref || Math.abs((a?.atUs ?? 0) - (b?.atUs ?? 0)) > toleranceUs) {
      return `event ${at}: ${JSON.stringify(a)} instead of ${JSON.stringify(b)}`;
    }
  }
  for (const [at, a] of ours.samples.entries()) {
    const b = theirs.samples[at]!;
    const differs = Math.abs(a.atUs - b.atUs) > toleranceUs ||
      a.figures.some((figure, i) => !(Math.abs(figure - b.figures[i]!) <= 1e-9 * Math.abs(b.figures[i]!) + 1e-6));
    if (differs) return `sample ${at}: ${JSON.stringify(a)} instead of ${JSON.stringify(b)}`;
  }
  return "";
}
