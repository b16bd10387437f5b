import { createHash } from "node:crypto";
import { liveSigner } from "../../live/keys.ts";
import { canonicalJson } from "../../protocol/canonical.ts";
import { open, seal } from "../../protocol/envelope.ts";
import { eventId, nostrEvent, type NostrEvent } from "../../protocol/event.ts";
import type { Message, PeerId } from "../../protocol/messages.ts";
import { parseMessage } from "../../protocol/parse.ts";
import { ReplayGuard } from "../../protocol/replay-guard.ts";
import { verifySignature } from "../../protocol/signer.ts";
import { messagesOf } from "./job-messages.ts";

/** What one job costs the router, by what is done, µs. */
export interface Parts {
  readonly verifying: number;
  readonly signing: number;
  readonly hashing: number;
  readonly schemas: number;
  readonly json: number;
  /** Everything about envelopes: the above, the replay guard and what holds them together. */
  readonly envelopes: number;
}

const NOW_S = 1_700_000_000;

/** Times what a router does with the envelopes of so many jobs, part by part, in this process. */
export function timeParts(jobs: number): Parts {
  const [router, client, node] = ["router", "client", "node"].map((name) => liveSigner(createHash("sha256").update(`parts ${name}`).digest())) as [ReturnType<typeof liveSigner>, ReturnType<typeof liveSigner>, ReturnType<typeof liveSigner>];
  const incoming: string[] = [];
  const awards: { readonly to: PeerId; readonly message: Message }[] = [];
  for (let i = 0; i < jobs; i++) {
    const { job, award, accept, result, paid } = messagesOf(`part-${i}`, client.publicKey, node.publicKey);
    for (const [signer, message] of [[client, job], [node, accept], [node, result], [client, paid]] as const) {
      incoming.push(JSON.stringify(seal(message, { signer, to: router.publicKey, nowS: NOW_S, expiresInS: 600 })));
    }
    awards.push({ to: node.publicKey, message: award });
  }
  const events = incoming.map((text) => JSON.parse(text) as NostrEvent);
  const contents = events.map(({ content }) => JSON.parse(content) as Message);
  const sealed = awards.map(({ to, message }) => seal(message, { signer: router, to, nowS: NOW_S, expiresInS: 600 }));
  const perJob = (work: () => void): number => {
    work();
    const from = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(from);
    return (user + system) / jobs;
  };
  let sum = 0;
  const verifying = perJob(() => { for (const { sig, id, pubkey } of events) sum += Number(verifySignature(sig, id, pubkey)); });
  const signing = perJob(() => { for (const { id } of sealed) sum += router.sign(id).length; });
  const hashing = perJob(() => { for (const event of [...events, ...sealed]) sum += eventId(event).length; });
  const schemas = perJob(() => {
    for (const event of [...events, ...sealed]) sum += Number(nostrEvent.safeParse(event).success);
    for (const message of contents) sum += Number(parseMessage(message).ok);
    for (const { message } of awards) sum += Number(parseMessage(message).ok);
  });
  const json = perJob(() => {
    for (const text of incoming) sum += (JSON.parse((JSON.parse(text) as NostrEvent).content) as Message).type.length;
    for (const message of contents) sum += canonicalJson(message).length;
    for (const [i, { message }] of awards.entries()) sum += canonicalJson(message).length + JSON.stringify(sealed[i]).length;
  });
  const envelopes = perJob(() => {
    const replay = new ReplayGuard({ maxIdsPerKey: 16_384 });
    for (const text of incoming) {
      const opened = open(JSON.parse(text), { self: router.publicKey, nowS: NOW_S, replay });
      if (!opened.ok) throw new Error(opened.detail);
    }
    for (const { to, message } of awards) sum += JSON.stringify(seal(message, { signer: router, to, nowS: NOW_S, expiresInS: 600 })).length;
  });
  if (sum === 0) throw new Error("nothing was done");
  return { verifying, signing, hashing, schemas, json, envelopes };
}
