import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";

/** Program of llama.cpp's server, where one is named by INFERNET_LLAMA_SERVER. */
const PROGRAM = process.env["INFERNET_LLAMA_SERVER"] ?? "";

/** Why nothing is tested with a real llama-server; "": it is. */
export const llamaServerSkipped = PROGRAM === "" ? "INFERNET_LLAMA_SERVER names no llama-server" : existsSync(PROGRAM) ? "" : `there is no ${PROGRAM}`;

/** A slot of a llama-server, as it shows it. */
export interface Slot {
  readonly is_processing: boolean;
}

/** A real llama-server in a process of its own, on a port that stays its own. */
export class LlamaServer {
  readonly #args: readonly string[];
  #child: ChildProcess | null = null;
  #port = 0;

  /** @param args beside the port and one thread */
  constructor(...args: string[]) {
    this.#args = args;
  }

  /** The API's address. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}/v1`;
  }

  /** Resolves once it answers, be it that it loads. */
  async start(): Promise<void> {
    if (this.#port === 0) this.#port = await freePort();
    this.#child = spawn(PROGRAM, ["--port", String(this.#port), "--threads", "1", "--slots", ...this.#args], { stdio: "ignore" });
    for (let tries = 0; tries < 500; tries++) {
      if (await fetch(`${this.url}/models`).then(() => true, () => false)) return;
      if (this.#child.exitCode !== null) break;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`${PROGRAM} ${this.#args.join(" ")} does not answer`);
  }

  async slots(): Promise<Slot[]> {
    return (await fetch(this.url.replace(/v1$/, "slots"))).json() as Promise<Slot[]>;
  }

  /** With SIGKILL. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  }
}

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
};
