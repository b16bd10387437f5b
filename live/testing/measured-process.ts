import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { WebSocket } from "ws";

/** What a process holds, bytes. */
export interface Memory {
  /** Of objects that are still in use: measured after a full garbage collection. */
  readonly heapBytes: number;
  /** Outside of V8's heap and tied to objects in use: buffers above all. */
  readonly externalBytes: number;
  /** What the operating system counts: with what the process has freed and not given back. */
  readonly rssBytes: number;
}

interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

/** A process of Node's whose memory can be measured from outside, whatever it runs: through V8's inspector. */
export class MeasuredProcess {
  readonly child: ChildProcess;
  readonly #inspector: WebSocket;
  readonly #answers = new Map<number, { readonly resolve: (result: unknown) => void; readonly reject: (error: Error) => void }>();
  #asked = 0;
  #said = "";
  #complaints = "";

  private constructor(child: ChildProcess, inspector: WebSocket) {
    this.child = child;
    this.#inspector = inspector;
    inspector.on("message", (data) => this.#onAnswer(JSON.parse((data as Buffer).toString()) as Answer));
    inspector.on("close", () => { for (const { reject } of this.#answers.values()) reject(new Error(`the process is gone: ${this.#complaints}`)); });
    child.stdout!.setEncoding("utf8").on("data", (text: string) => void (this.#said += text));
    child.stderr!.on("data", (text: string) => void (this.#complaints += text));
  }

  /** @param args script and arguments; `options.execArgv` come before them. An "ipc" channel is open to it. */
  static async start(args: readonly string[], options: { readonly cwd?: string; readonly execArgv?: readonly string[]; readonly env?: NodeJS.ProcessEnv } = {}): Promise<MeasuredProcess> {
    const { cwd, execArgv = [], env = process.env } = options;
    const child = spawn(process.execPath, ["--inspect=127.0.0.1:0", ...execArgv, ...args], { cwd, env, stdio: ["ignore", "pipe", "pipe", "ipc"] });
    let complaints = "";
    const url = await new Promise<string>((resolve, reject) => {
      child.stderr!.setEncoding("utf8").on("data", (text: string) => {
        if (complaints.length < 10_000) complaints += text;
        const found = /^Debugger listening on (ws:\S+)$/m.exec(complaints);
        if (found !== null) resolve(found[1]!);
      });
      child.once("exit", () => reject(new Error(complaints)));
    });
    const inspector = new WebSocket(url, { perMessageDeflate: false });
    await once(inspector, "open");
    return new MeasuredProcess(child, inspector);
  }

  /** The first line that it prints. @throws Error with what it complains of where it ends before. */
  async line(): Promise<string> {
    while (!this.#said.includes("\n")) {
      if (this.child.exitCode !== null) throw new Error(`the process has ended: ${this.#complaints}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return this.#said.slice(0, this.#said.indexOf("\n"));
  }

  async memory(): Promise<Memory> {
    await this.#ask("HeapProfiler.collectGarbage");
    const { heapUsed, external, rss } = JSON.parse(await this.evaluate("JSON.stringify(process.memoryUsage())")) as NodeJS.MemoryUsage;
    return { heapBytes: heapUsed, externalBytes: external, rssBytes: rss };
  }

  /** What an expression of type string is in the process. */
  async evaluate(expression: string): Promise<string> {
    const { result } = await this.#ask("Runtime.evaluate", { expression, returnByValue: true }) as { readonly result: { readonly value: string } };
    return result.value;
  }

  /** Ends it without a word. */
  async kill(): Promise<void> {
    this.#inspector.terminate();
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = once(this.child, "exit");
    this.child.kill("SIGKILL");
    await gone;
  }

  #ask(method: string, params: object = {}): Promise<unknown> {
    const id = ++this.#asked;
    this.#inspector.send(JSON.stringify({ id, method, params }));
    return new Promise((resolve, reject) => void this.#answers.set(id, { resolve, reject }));
  }

  #onAnswer({ id, result, error }: Answer): void {
    const waiting = this.#answers.get(id);
    this.#answers.delete(id);
    if (error === undefined) waiting?.resolve(result);
    else waiting?.reject(new Error(error.message));
  }
}
