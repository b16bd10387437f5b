import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Order, Part, Word } from "./part.ts";

const entry = fileURLToPath(new URL(import.meta.url.endsWith(".ts") ? "./child.ts" : "./child.js", import.meta.url));

/** A process of a play, as seen by its conductor. */
export class Player {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #waiting: { readonly word: Word["word"]; readonly resolve: (word: never) => void; readonly reject: (error: Error) => void }[] = [];
  #gone: Error | null = null;
  /** Told of everything the process says. */
  onWord: (word: Word) => void = () => {};
  /** Told when the process ends although nobody asked it to. */
  onLost: (error: Error) => void = () => {};
  #ending = false;

  constructor(name: string, part: Part) {
    this.name = name;
    // An interrupt from the terminal is the conductor's to handle: the others have their own process group.
    this.#child = fork(entry, [], { stdio: ["ignore", "ignore", "inherit", "ipc"], serialization: "advanced" });
    this.#child.on("message", (word: Word) => this.#heard(word));
    this.#child.on("exit", (code, signal) => this.#lost(new Error(`the ${name} process ended (${signal ?? `exit code ${code}`})`)));
    this.#child.on("error", (error) => this.#lost(error));
    this.tell({ order: "begin", part });
  }

  tell(order: Order): void {
    if (this.#gone === null && this.#child.connected) this.#child.send(order, () => {});
  }

  /** The next word of this kind. Rejects where the process ends or has a fault before. */
  next<W extends Word["word"]>(word: W): Promise<Extract<Word, { word: W }>> {
    if (this.#gone !== null) return Promise.reject(this.#gone);
    return new Promise((resolve, reject) => this.#waiting.push({ word, resolve: resolve as (word: never) => void, reject }));
  }

  /** Asks the process to end, and ends it after a while. Resolves when it is gone. */
  async end(withinMs = 4_000): Promise<void> {
    this.#ending = true;
    if (this.#gone !== null) return;
    const gone = new Promise<void>((resolve) => this.#child.once("exit", () => resolve()));
    this.tell({ order: "end" });
    const deadline = setTimeout(() => this.#child.kill("SIGKILL"), withinMs);
    await gone;
    clearTimeout(deadline);
  }

  /** Ends the process at once. */
  kill(): void {
    this.#ending = true;
    this.#child.kill("SIGKILL");
  }

  #heard(word: Word): void {
    this.onWord(word);
    if (word.word === "fault") {
      const error = new Error(`the ${this.name} process: ${word.what}`);
      for (const { reject } of this.#waiting.splice(0)) reject(error);
      return this.onLost(error);
    }
    const at = this.#waiting.findIndex((one) => one.word === word.word);
    if (at >= 0) this.#waiting.splice(at, 1)[0]!.resolve(word as never);
  }

  #lost(error: Error): void {
    if (this.#gone !== null) return;
    this.#gone = error;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
    if (!this.#ending) this.onLost(error);
  }
}
