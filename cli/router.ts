import type { Command } from "commander";
import { readRouterConfig } from "../live/config/router.ts";
import { startRouter } from "../live/process/router.ts";
import { encodePublicKey } from "../protocol/keys.ts";
import { UserError } from "./errors.ts";
import { type EventFlags, eventsOf, openObserver, ownSigner, tell, untilAskedToStop, walletOf, withEventOptions } from "./live-process.ts";
import { filePath } from "./options.ts";

interface RouterFlags extends EventFlags {
  readonly config: string;
}

/** `infernet router`: matches live jobs to live nodes. */
export const registerRouter = (program: Command): void => {
  const command = program.command("router")
    .summary("matches jobs of live clients to live nodes")
    .description("Runs a router: nodes and clients connect to it by WebSocket, and it decides which node gets which job. Prints its address and its public key, which nodes and clients name in their settings.")
    .option("--config <file>", "the router's settings, in YAML", filePath, "router.yaml");
  withEventOptions(command, true)
    .addHelpText("after", `
Examples:
  $ infernet keygen --out router.key
  $ infernet router --config router.yaml
  $ infernet router --config router.yaml --events events.jsonl --decisions decisions.jsonl

The smallest router.yaml is: key: router.key
All settings: infernet schema router
A signal (SIGTERM, Ctrl-C) lets jobs at nodes finish, refuses new ones, and ends the process; a second one ends it at once.
`)
    .action(async (flags: RouterFlags) => {
      const config = readRouterConfig(flags.config);
      const signer = ownSigner(config.keyFile);
      const { clock, telemetry, close } = eventsOf(flags);
      const { host, port } = config.listen;
      const observer = await openObserver("router", signer.publicKey, config);
      const running = await startRouter({
        signer, router: config.router, host, port, limits: config.limits, clock, telemetry, observer, wallet: walletOf(config.wallet, signer, observer.watcher), onFault: observer.watcher.fault,
      }).catch(async (error: NodeJS.ErrnoException) => {
        close();
        await observer.close();
        const why = { EADDRINUSE: "another process does", EADDRNOTAVAIL: "that is no address of this machine", EACCES: "that port takes more rights", ENOTFOUND: "there is no such host" }[error.code ?? ""];
        throw why === undefined ? error : new UserError(`cannot listen on ${host}:${port}: ${why}. Set another in ${flags.config}: listen: {host: ..., port: ...}`);
      });
      process.stdout.write(`${running.url} ${encodePublicKey(running.peer)}\n`);
      await untilAskedToStop();
      const open = running.router.open;
      tell(`Stopping${open === 0 ? "" : `: ${open} ${open === 1 ? "job is" : "jobs are"} still open`}. A second signal ends it at once.`);
      await running.stop(config.shutdownUs / 1_000);
      close();
      await observer.close();
    });
};
