import type * as Bullmq from "bullmq";
import type { Redis } from "ioredis";

/** Something about the queue that the user can put right. */
export class QueueError extends Error {
  override readonly name = "UserError";
}

/** How long a Redis may take to answer at first, ms. */
const firstAnswerMs = 5_000;

/** A queue's address without its password. */
export function shown(url: string): string {
  return url.replace(/(:\/\/[^/@]*?):[^@]*@/, "$1:***@");
}

/** What the queue is made of; only those who use it need it. */
export async function loadBullmq(): Promise<{ readonly bullmq: typeof Bullmq; readonly Redis: typeof Redis }> {
  try {
    return { bullmq: await import("bullmq"), Redis: (await import("ioredis")).Redis };
  } catch (error) {
    throw new QueueError(`--queue needs the packages bullmq and ioredis, which are not installed here (${(error as Error).message.split("\n")[0]}); npm install bullmq ioredis`);
  }
}

/**
 * Makes sure that there is a Redis, and says which connections are to be made to it.
 * @param onLost told when a connection is lost, once until it is there again
 * @throws QueueError where the address is none, or nobody answers
 */
export async function redisAt(url: string, onLost: (message: string) => void = () => {}): Promise<() => Redis> {
  if (!/^rediss?:\/\/./.test(url) || !URL.canParse(url)) throw new QueueError(`--queue: found ${url}; allowed: a Redis such as redis://localhost/0, redis://user:password@host:6379/0 or rediss://host`);
  const { Redis: Client } = await loadBullmq();
  const probe = new Client(url, { lazyConnect: true, retryStrategy: () => null, connectTimeout: firstAnswerMs, commandTimeout: firstAnswerMs, maxRetriesPerRequest: 0 });
  let reason = "";
  probe.on("error", (error: Error) => void (reason = error.message === "" ? String((error as NodeJS.ErrnoException).code) : error.message));
  try {
    await probe.connect();
    await probe.ping();
  } catch (error) {
    throw new QueueError(`there is no Redis at ${shown(url)} (${reason === "" ? (error as Error).message : reason}). Start one (redis-server), or give the address of one with --queue.`);
  } finally {
    probe.disconnect();
  }
  let lost = false;
  return () => {
    // BullMQ waits for a Redis that comes back, as long as it takes.
    const client = new Client(url, { maxRetriesPerRequest: null, retryStrategy: (times) => Math.min(2_000, 100 * times) });
    client.on("error", (error: Error) => {
      if (!lost) onLost(`The Redis at ${shown(url)} does not answer (${error.message}); waiting for it.\n`);
      lost = true;
    });
    client.on("ready", () => void (lost = false));
    return client;
  };
}
