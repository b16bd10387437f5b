import { describe, expect, test } from "vitest";
import type { Message, PeerId } from "../protocol/messages.ts";
import type { Environment, Participant, RunnerEvent, Timer, WalletEvent } from "../scheduler/environment.ts";
import { FakeTelemetry } from "../scheduler/testing/fake-environment.ts";
import { LiveEnvironment, seededRandom } from "./environment.ts";
import { FakeTime } from "./testing/fake-time.ts";

const accept: Message = { type: "accept", jobId: "j", attempt: 1 };
const paid: WalletEvent = { kind: "received", jobId: "j", purpose: "job", amountMsat: 1, paymentHash: "h" };

/** Says what happens to it, and does what it is told. */
class Scribe implements Participant {
  readonly log: string[] = [];
  act: (what: string) => void = () => {};

  #note(what: string): void {
    this.log.push(`> ${what}`);
    this.act(what);
    this.log.push(`< ${what}`);
  }
  onMessage(from: PeerId, message: Message): void {
    this.#note(`${message.type} from ${from}`);
  }
  onTimer(timer: Timer): void {
    this.#note(timer.kind);
  }
  onRunner(event: RunnerEvent): void {
    this.#note(event.kind);
  }
  onWallet(event: WalletEvent): void {
    this.#note(event.kind);
  }
}

const setUp = (): { readonly env: LiveEnvironment; readonly scribe: Scribe; readonly time: FakeTime; readonly faults: unknown[]; readonly sent: [PeerId, Message][] } => {
  const time = new FakeTime();
  const faults: unknown[] = [];
  const sent: [PeerId, Message][] = [];
  const wallet = { balanceMsat: 0 } as unknown as Environment["wallet"];
  const link = {
    send(to: PeerId, message: Message): void {
      if (to === "nobody") throw new RangeError("cannot seal");
      sent.push([to, message]);
    },
  };
  const env = new LiveEnvironment({ self: "me", clock: time, alarm: time, link, wallet, telemetry: new FakeTelemetry(), onFault: (error) => faults.push(error) });
  const scribe = new Scribe();
  env.host(scribe);
  return { env, scribe, time, faults, sent };
};

describe("a live environment", () => {
  test("hands everything over one at a time: what comes of an act is dealt with after it, in order", () => {
    const { env, scribe } = setUp();
    scribe.act = (what) => {
      if (what !== "accept from peer") return;
      // As a wallet or a runner would that answers within the call.
      env.onWallet(paid);
      env.onRunner({ kind: "started", jobId: "j" });
    };
    env.onMessage("peer", accept);
    expect(scribe.log).toEqual(["> accept from peer", "< accept from peer", "> received", "< received", "> started", "< started"]);
  });

  test("keeps timers by its clock", () => {
    const { env, scribe, time } = setUp();
    const first = env.after(1_000, { kind: "first", jobId: "", attempt: 0 });
    env.after(2_000, { kind: "second", jobId: "", attempt: 0 });
    expect(env.cancel(first)).toBe(true);
    time.pass(5_000);
    expect(scribe.log).toEqual(["> second", "< second"]);
    expect(env.nowUs).toBe(5_000);
  });

  test("reports what a participant throws, and hands over what comes next", () => {
    const { env, scribe, time, faults } = setUp();
    scribe.act = (what) => {
      if (what === "boom") throw new Error("broken law");
    };
    env.after(0, { kind: "boom", jobId: "", attempt: 0 });
    time.pass(1_000);
    env.onMessage("peer", accept);
    expect(faults).toEqual([new Error("broken law")]);
    expect(scribe.log).toEqual(["> boom", "> accept from peer", "< accept from peer"]);
  });

  test("reports what cannot be sent, and lets the participant finish", () => {
    const { env, scribe, faults, sent } = setUp();
    scribe.act = () => {
      env.send("nobody", accept);
      env.send("somebody", accept);
    };
    env.onMessage("peer", accept);
    expect(faults).toEqual([new RangeError("cannot seal")]);
    expect(sent).toEqual([["somebody", accept]]);
    expect(scribe.log.at(-1)).toBe("< accept from peer");
  });

  test("hands nothing over once it is closed, not even what waited", () => {
    const { env, scribe, time } = setUp();
    env.after(1_000, { kind: "late", jobId: "", attempt: 0 });
    scribe.act = () => {
      env.onWallet(paid);
      env.close();
    };
    env.onMessage("peer", accept);
    env.onMessage("peer", accept);
    time.pass(5_000);
    expect(scribe.log).toEqual(["> accept from peer", "< accept from peer"]);
  });

  test("has no runner but a node's", () => {
    expect(() => setUp().env.runner).toThrow("peer me has no runner");
  });

  test("draws other numbers at every start, and the same ones from the same seed and purpose", () => {
    const draws = (environment: { random(purpose: string): { next(): number } }, purpose: string): number[] => {
      const stream = environment.random(purpose);
      return [stream.next(), stream.next(), stream.next()];
    };
    expect(draws(setUp().env, "selection")).not.toEqual(draws(setUp().env, "selection"));
    const seeded = { random: seededRandom("7") };
    expect(draws(seeded, "selection")).toEqual(draws({ random: seededRandom("7") }, "selection"));
    expect(draws(seeded, "selection")).not.toEqual(draws(seeded, "other"));
  });
});
