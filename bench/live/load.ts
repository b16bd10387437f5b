import { createHash } from "node:crypto";
import type { Socket } from "node:net";
import { WebSocket } from "ws";
import { canonicalJson } from "../../protocol/canonical.ts";
import { eventId, type NostrEvent } from "../../protocol/event.ts";
import { ENVELOPE_KIND, PROTOCOL_VERSION } from "../../protocol/limits.ts";
import type { Award, JobId, Message, PeerId } from "../../protocol/messages.ts";
import { answerFrame, newNonce } from "../../live/link/handshake.ts";
import { liveSigner } from "../../live/keys.ts";
import type { Signer } from "../../protocol/signer.ts";
import { CHUNK_TEXT, jobOf, MODEL, paidOf, resultOf, SOME_HASH } from "./job-messages.ts";

/** Chunks of output that a node sends its client for each job. */
const CHUNKS = 5;

/** One end of a connection to the router: proven, and as quick as can be with what it sends. */
class MockPeer {
  readonly signer: Signer;
  ws!: WebSocket;
  readonly #url: string;
  readonly #router: PeerId;
  #closed = false;
  #socket: Socket | null = null;

  constructor(name: string, url: string, router: PeerId) {
    this.signer = liveSigner(createHash("sha256").update(`${name} of ${process.pid}`).digest());
    this.#url = url;
    this.#router = router;
  }

  /** @param onMessage called with every message, unchecked. */
  async open(onMessage: (message: Message) => void): Promise<void> {
    this.ws = new WebSocket(this.#url, { perMessageDeflate: false });
    this.ws.once("upgrade", (response) => { this.#socket = response.socket; });
    const frame = (): Promise<string> => new Promise((resolve, reject) => {
      this.ws.once("message", (data) => resolve((data as Buffer).toString()));
      this.ws.once("close", (code) => reject(new Error(`closed with ${code}`)));
      this.ws.once("error", reject);
    });
    const answer = answerFrame(await frame(), newNonce(), this.signer, this.#router, Math.floor(Date.now() / 1_000));
    if (!answer.ok) throw new Error(answer.detail);
    this.ws.send(answer.frame);
    await frame();
    this.ws.removeAllListeners("close");
    this.ws.on("close", (code) => { if (!this.#closed) throw new Error(`the router closed a connection: ${code}`); });
    this.ws.on("message", (data) => {
      // Nobody waits for chunks: all that the load leaves undone is the router's to use.
      if (!(data as Buffer).includes("token-chunk")) onMessage(JSON.parse((JSON.parse((data as Buffer).toString()) as NostrEvent).content) as Message);
    });
  }

  close(): void {
    this.#closed = true;
    this.ws.terminate();
  }

  /** Sends several frames in one write. */
  send(frames: readonly string[]): void {
    this.#socket?.cork();
    for (const frame of frames) this.ws.send(frame);
    this.#socket?.uncork();
  }

  envelope(to: PeerId, message: Message): string {
    return this.#envelope(to, canonicalJson(message), true);
  }

  /** One that nobody will look into: what is for other peers the router passes on unopened. */
  unsigned(to: PeerId, content: string): string {
    return this.#envelope(to, content, false);
  }

  #envelope(to: PeerId, content: string, isSigned: boolean): string {
    const nowS = Math.floor(Date.now() / 1_000);
    const unsigned = {
      pubkey: this.signer.publicKey, created_at: nowS, kind: ENVELOPE_KIND,
      tags: [["p", to], ["expiration", String(nowS + 600)], ["infernet", String(PROTOCOL_VERSION)], ["salt", this.signer.nextNonce()]], content,
    };
    const id = isSigned ? eventId(unsigned) : SOME_HASH;
    return JSON.stringify({ id, ...unsigned, sig: isSigned ? this.signer.sign(id) : SOME_HASH + SOME_HASH });
  }
}

/** What a job's way took, µs. */
export interface JobTimes {
  /** From the client's sending it to the node's having the award. */
  readonly awardUs: number;
  /** From the node's sending the result to the client's having it. */
  readonly resultUs: number;
}

interface Live {
  readonly client: MockPeer;
  readonly sentUs: number;
  awardUs: number;
  resultSentUs: number;
}

const nowUs = (): number => Number(process.hrtime.bigint()) / 1_000;

/** Mock clients and nodes of one router, whose jobs take no time to serve: all that is left is the router's. */
export class Load {
  readonly #router: PeerId;
  readonly #clients: MockPeer[];
  readonly #nodes: MockPeer[];
  readonly #live = new Map<JobId, Live>();
  readonly #prepared: { readonly jobId: JobId; readonly client: MockPeer; readonly job: string; readonly paid: string }[] = [];
  #count = 0;
  #times: JobTimes[] = [];
  #onDone: () => void = () => {};
  failed = 0;

  constructor(url: string, router: PeerId, clients: number, nodes: number) {
    this.#router = router;
    this.#clients = Array.from({ length: clients }, (_, i) => new MockPeer(`client ${i}`, url, router));
    this.#nodes = Array.from({ length: nodes }, (_, i) => new MockPeer(`node ${i}`, url, router));
  }

  async open(): Promise<void> {
    for (const client of this.#clients) await client.open((message) => this.#onClient(client, message));
    for (const [i, node] of this.#nodes.entries()) {
      await node.open((message) => { if (message.type === "award") this.#serve(node, message); });
      node.ws.send(node.envelope(this.#router, {
        type: "descriptor", node: node.signer.publicKey, incarnation: 0, region: "eu", machine: "mock", engine: "mock", slots: 64, queueLimit: 100_000, kvTokensMax: 100_000_000, stakeMsat: 0, attested: false,
        offers: [{ model: MODEL, contextTokensMax: 8_192, prices: { inputMsatPerMtok: 1_000_000 + i, outputMsatPerMtok: 3_000_000 + i, fixedMsat: 0 }, prefillTokensPerS: 1_000, decodeTokensPerS: 50 }],
      }));
    }
  }

  close(): void {
    for (const peer of [...this.#clients, ...this.#nodes]) peer.close();
  }

  /** Makes and signs jobs beforehand, and the proofs of their payment. */
  prepare(jobs: number): void {
    while (this.#prepared.length < jobs) {
      const jobId = `bench-${this.#count}`;
      const client = this.#clients[this.#count++ % this.#clients.length]!;
      const self = client.signer.publicKey;
      const job = client.envelope(this.#router, jobOf(jobId, self));
      const paid = client.envelope(this.#router, paidOf(jobId, self, SOME_HASH));
      this.#prepared.push({ jobId, client, job, paid });
    }
  }

  /** Keeps so many jobs on their way until so many are done. @returns what each took, and how long all took, s. */
  async closedLoop(jobs: number, atOnce: number): Promise<{ readonly times: readonly JobTimes[]; readonly seconds: number }> {
    this.#times = [];
    let sent = 0;
    const fromUs = nowUs();
    await new Promise<void>((resolve) => {
      this.#onDone = () => {
        if (sent < jobs) {
          sent++;
          this.#submit();
        } else if (this.#live.size === 0) resolve();
      };
      while (sent < Math.min(atOnce, jobs)) {
        sent++;
        this.#submit();
      }
    });
    return { times: this.#times, seconds: (nowUs() - fromUs) / 1e6 };
  }

  /** Sends jobs at a steady rate, whatever comes of those before. @returns what each took. */
  async openLoop(jobs: number, perS: number): Promise<readonly JobTimes[]> {
    this.#times = [];
    let sent = 0;
    const fromUs = nowUs();
    await new Promise<void>((resolve) => {
      this.#onDone = () => { if (sent === jobs && this.#live.size === 0) resolve(); };
      const timer = setInterval(() => {
        // Those that are due, one by one, so that none waits for another's being sent.
        for (; sent < jobs && sent < ((nowUs() - fromUs) * perS) / 1e6; sent++) this.#submit();
        if (sent === jobs) clearInterval(timer);
      }, 1);
    });
    return this.#times;
  }

  #submit(): void {
    const next = this.#prepared.pop();
    if (next === undefined) throw new Error("more jobs were asked for than were prepared");
    this.#live.set(next.jobId, { client: next.client, sentUs: nowUs(), awardUs: 0, resultSentUs: 0 });
    // A real client pays after the result; for the router it is one more envelope of the job's.
    next.client.send([next.job, next.paid]);
  }

  #serve(node: MockPeer, { job, attempt, prices }: Award): void {
    const live = this.#live.get(job.jobId);
    if (live === undefined) return;
    live.awardUs = nowUs() - live.sentUs;
    const self = node.signer.publicKey;
    const { jobId, client } = job;
    const result = resultOf({ job, attempt, prices }, self);
    const chunks = Array.from({ length: CHUNKS }, (_, i) =>
      node.unsigned(client, `{"attempt":${attempt},"firstToken":${20 * i},"jobId":"${jobId}","text":"${CHUNK_TEXT}","tokens":20,"type":"token-chunk"}`));
    const accept = node.envelope(this.#router, { type: "accept", jobId, attempt });
    const toRouter = node.envelope(this.#router, result);
    const toClient = node.unsigned(client, JSON.stringify(result));
    live.resultSentUs = nowUs();
    node.send([accept, ...chunks, toClient, toRouter]);
  }

  #onClient(client: MockPeer, message: Message): void {
    const jobId = message.type === "result" || message.type === "refuse" ? message.jobId : "";
    const live = this.#live.get(jobId);
    if (live === undefined || live.client !== client || message.type !== "result") {
      this.failed++;
      if (live === undefined) return;
    }
    this.#live.delete(jobId);
    this.#times.push({ awardUs: live.awardUs, resultUs: nowUs() - live.resultSentUs });
    this.#onDone();
  }
}
