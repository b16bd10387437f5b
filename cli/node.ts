import type { Command } from "commander";
import { readNodeConfig } from "../live/config/node.ts";
import { UtilisationSampler } from "../live/machine/utilisation.ts";
import { makeRunner } from "../live/process/make-runner.ts";
import { startNode } from "../live/process/node.ts";
import { encodePublicKey } from "../protocol/keys.ts";
import type { PriceSheet } from "../protocol/messages.ts";
import { formatMsat, formatMsatPerMtok, formatNumber } from "../protocol/units.ts";
import { type EventFlags, eventsOf, openObserver, outagesInWords, ownSigner, tell, untilAskedToStop, walletOf, withEventOptions } from "./live-process.ts";
import { filePath } from "./options.ts";

interface NodeFlags extends EventFlags {
  readonly config: string;
}

const ENGINE_MESSAGES = { lost: "engine lost", back: "engine is back", failed: "engine failed a job" } as const;

/** `infernet node`: serves models. */
export const registerNode = (program: Command): void => {
  const command = program.command("node")
    .summary("serves models to live clients, for money or for free")
    .description("Runs a node: it loads a model, registers with its routers, and serves the jobs that they award it. While a router cannot be reached it finishes what it has and tries again. Prints its public key.")
    .option("--config <file>", "the node's settings, in YAML", filePath, "node.yaml");
  withEventOptions(command, false)
    .addHelpText("after", `
Examples:
  $ infernet keygen --out node.key
  $ infernet node --config node.yaml

The smallest node.yaml:
  routers: [{url: "ws://127.0.0.1:7700", key: npub1...}]    # as the router prints them
  runner: {llama: {model: model.gguf}}
All settings: infernet schema node
A signal (SIGTERM, Ctrl-C) hands back jobs that wait, lets those that run finish, and ends the process; a second one ends it at once.
`)
    .action(async (flags: NodeFlags) => {
      const config = readNodeConfig(flags.config);
      const signer = ownSigner(config.keyFile);
      const observer = await openObserver("node", signer.publicKey, config);
      const runner = makeRunner(config.runner, config.streamIntervalMs, (state, detail) => observer.log.write(state === "back" ? "info" : "warn", ENGINE_MESSAGES[state], { reason: detail }));
      const { clock, telemetry, close } = eventsOf(flags);
      // A router that is absent at the start is most often a mistake in the settings: said plainly. Later outages are the log's.
      const absent = outagesInWords();
      const known = new Set<string>();
      const sampler = new UtilisationSampler();
      sampler.start();
      const running = await startNode({
        ...config, signer, runner, clock, telemetry, observer, wallet: walletOf(config.wallet, signer, observer.watcher), utilisation: () => sampler.read(),
        onDown: ({ url, key }, why) => { if (!known.has(key)) absent.down(`router ${url}`, why); },
        onRouter: (key, connected) => {
          known.add(key);
          if (connected) absent.up(`router ${config.routers.find((router) => router.key === key)!.url}`);
        },
        onFault: observer.watcher.fault,
      }).catch(async (error: unknown) => {
        sampler.stop();
        close();
        await observer.close();
        throw error;
      });
      process.stdout.write(`${encodePublicKey(running.peer)}\n`);
      const { facts, speed } = running;
      tell(`${facts.models.join(", ")} on ${config.machine} (${facts.engine}): ${facts.slots} at once, context ${facts.contextTokensMax} tokens, ${formatNumber(Math.round(speed.prefillTokensPerS))} / ${formatNumber(Math.round(speed.decodeTokensPerS))} tokens/s in / out, ${priceOf(config.prices)}`);
      await untilAskedToStop();
      const open = running.node.open;
      tell(`Stopping${open === 0 ? "" : `: ${open} ${open === 1 ? "job is" : "jobs are"} still open`}. A second signal ends it at once.`);
      await running.stop(config.shutdownUs / 1_000);
      sampler.stop();
      close();
      await observer.close();
    });
};

const priceOf = ({ inputMsatPerMtok, outputMsatPerMtok, fixedMsat }: PriceSheet): string => {
  if (inputMsatPerMtok + outputMsatPerMtok + fixedMsat === 0) return "free";
  return `${formatMsatPerMtok(inputMsatPerMtok)} / ${formatMsatPerMtok(outputMsatPerMtok)}${fixedMsat > 0 ? ` and ${formatMsat(fixedMsat)} a job` : ""}`;
};
