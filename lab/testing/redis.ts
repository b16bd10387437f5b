import { spawn, spawnSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";

/** Whether Debian's redis-server, or one like it, is here. */
export const redisIsHere = spawnSync("redis-server", ["--version"]).status === 0;
/** Why tests that need it are skipped; part of their title. */
export const needsRedis = redisIsHere ? "" : " (skipped: redis-server is not installed)";

/** A port that was free a moment ago. Systems give out higher ones (from 32,768 or 49,152): nobody else gets it by chance meanwhile. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_000);
    const server = createServer().listen(port, "127.0.0.1");
    const isFree = await once(server, "listening").then(() => true, () => false);
    if (!isFree) continue;
    server.close();
    await once(server, "close");
    return port;
  }
}

/** A Redis of this test's own, which keeps nothing. @param folder where it works @param at its port; any free one by default */
export async function startRedis(folder: string, at?: number): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const port = at ?? (await freePort());
  const child = spawn("redis-server", ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder], { stdio: ["ignore", "pipe", "inherit"] });
  await new Promise<void>((resolve, reject) => {
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      if (text.includes("eady to accept connections")) resolve();
    });
    child.once("exit", (code) => reject(new Error(`redis-server ended with exit code ${code}`)));
  });
  return {
    url: `redis://127.0.0.1:${port}/0`,
    async stop() {
      if (child.exitCode !== null) return;
      child.kill();
      await once(child, "exit");
    },
  };
}
