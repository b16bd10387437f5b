import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { RunnerError } from "../live-runner.ts";
import type { ChildEvent, ChildFacts, FromChild, LlamaSettings, Measurement, StepTime, ToChild } from "./messages.ts";

/** What the process tells. */
export interface EngineListener {
  onEvents(events: readonly ChildEvent[]): void;
  /** It has gone, unasked. */
  onExit(how: string): void;
}

/** Lines of what llama.cpp printed before it died: the last ones say why. */
const KEPT_BYTES = 2_000;

/** The parent's end of a process that holds a model. */
export class EngineProcess {
  readonly #child: ChildProcess;
  readonly #measurements = new Map<number, { readonly resolve: (steps: readonly StepTime[]) => void; readonly reject: (error: Error) => void }>();
  readonly facts: ChildFacts;
  #nextMeasurement = 1;
  #stopping = false;

  private constructor(child: ChildProcess, facts: ChildFacts, listener: EngineListener, lastWords: () => string) {
    this.#child = child;
    this.facts = facts;
    child.on("message", (message) => this.#onMessage(message as FromChild, listener));
    child.on("exit", (code, signal) => {
      const how = describeExit(code, signal, lastWords());
      for (const { reject } of this.#measurements.values()) reject(new RunnerError(`llama.cpp ${how}`));
      this.#measurements.clear();
      if (!this.#stopping) listener.onExit(how);
    });
  }

  /** Starts a process and loads the model. @param signal gives up, even in the midst of loading. @throws RunnerError */
  static start(settings: LlamaSettings, listener: EngineListener, signal?: AbortSignal): Promise<EngineProcess> {
    // The same file compiled ends in .js.
    const file = fileURLToPath(new URL(import.meta.url.endsWith(".ts") ? "./child.ts" : "./child.js", import.meta.url));
    const child = fork(file, [], { execArgv: [], stdio: ["ignore", "ignore", "pipe", "ipc"] });
    const giveUp = (): void => void child.kill("SIGKILL");
    signal?.addEventListener("abort", giveUp, { once: true });
    let printed = "";
    child.stderr!.setEncoding("utf8").on("data", (text: string) => (printed = (printed + text).slice(-KEPT_BYTES)));
    // Node ends its own report of a fault with the stack and its version.
    const lastWords = (): string => printed.split("\n").findLast((line) => line.trim() !== "" && !/^\s+at |^Node\.js v/.test(line)) ?? "";
    return new Promise((resolve, reject) => {
      const onExit = (code: number | null, signal: NodeJS.Signals | null): void => reject(new RunnerError(`${settings.file}: llama.cpp ${describeExit(code, signal, lastWords())} while loading the model`));
      child.once("error", (error) => reject(new RunnerError(`the process for the model cannot be started: ${error.message}`)));
      child.once("exit", onExit);
      child.once("message", (message) => {
        const answer = message as FromChild;
        child.removeListener("exit", onExit);
        signal?.removeEventListener("abort", giveUp);
        if (answer.kind === "loaded") return resolve(new EngineProcess(child, answer.facts, listener, lastWords));
        child.kill("SIGKILL");
        reject(new RunnerError(`${settings.file}: ${answer.kind === "not-loaded" ? answer.message : "the process for the model answered out of turn"}`));
      });
      child.send({ kind: "load", settings } satisfies ToChild);
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  send(message: ToChild): void {
    // Gone already: its exit tells the rest.
    if (this.#child.connected) this.#child.send(message, () => {});
  }

  measure(what: Measurement): Promise<readonly StepTime[]> {
    const id = this.#nextMeasurement++;
    return new Promise((resolve, reject) => {
      if (!this.#child.connected) return reject(new RunnerError("the process for the model is gone"));
      this.#measurements.set(id, { resolve, reject });
      this.send({ kind: "measure", id, what });
    });
  }

  /** Ends the process as a crash would: the listener hears of it. */
  kill(): void {
    this.#child.kill("SIGKILL");
  }

  /** Ends the process; no more is heard of it. */
  async stop(): Promise<void> {
    this.#stopping = true;
    const child = this.#child;
    if (child.exitCode !== null || child.signalCode !== null) return;
    // It has nothing to lose, and llama.cpp may be in the middle of a long step.
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await gone;
  }

  #onMessage(message: FromChild, listener: EngineListener): void {
    if (this.#stopping) return;
    if (message.kind === "events") return listener.onEvents(message.events);
    if (message.kind !== "measured" && message.kind !== "not-measured") return;
    const waiter = this.#measurements.get(message.id);
    this.#measurements.delete(message.id);
    if (message.kind === "measured") waiter?.resolve(message.steps);
    else waiter?.reject(new RunnerError(message.message));
  }
}

const describeExit = (code: number | null, signal: string | null, lastWords: string): string => {
  const how = signal === null ? `ended with code ${code}` : signal === "SIGABRT" ? "aborted" : `was ended by ${signal}`;
  return lastWords === "" ? how : `${how} (its last words: ${lastWords})`;
};
