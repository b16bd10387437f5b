import type { Command } from "commander";
import { labIdentity } from "../lab/identity.ts";
import { QueueWorker } from "../lab/queue/worker.ts";
import { shown } from "../lab/queue/connection.ts";
import { workersOption } from "./experiment-options.ts";

interface WorkerFlags {
  readonly queue: string;
  readonly workers: number;
  readonly quiet?: boolean;
}

/** Adds `worker`. */
export const registerWorker = (program: Command): void => {
  program
    .command("worker")
    .description("Plays runs of experiments that other machines ask for, through a job queue on Redis.")
    .requiredOption("--queue <url>", "the Redis, such as redis://localhost/0")
    .addOption(workersOption())
    .option("--quiet", "says nothing but what goes wrong")
    .addHelpText("after", `
Examples:
  $ infernet worker --queue redis://10.0.0.5/0
  $ infernet sweep market.yaml --queue redis://10.0.0.5/0

Workers may join and leave at any time, also by being killed: what one was at goes to another, and no run is lost or counted
twice. A scenario's own files (policies, tariffs, traces) come with the runs. All machines need the same infernet-lab; those
that have another get nothing to do. Ctrl-C ends the runs under way first, a second Ctrl-C does not.
`)
    .action(async ({ queue, workers, quiet = false }: WorkerFlags) => {
      const say = (text: string): void => void process.stderr.write(text);
      const worker = await QueueWorker.start(queue, { threads: workers, say });
      const { version, code } = labIdentity();
      if (!quiet) say(`Waiting for runs at ${shown(queue)}: ${workers === 1 ? "one" : workers} side by side, infernet-lab ${version}, code ${code}.\n`);
      await new Promise<void>((resolve) => {
        let asked = false;
        const stop = (signal: NodeJS.Signals): void => {
          if (asked) {
            worker.tidy();
            process.exit(signal === "SIGINT" ? 130 : 143);
          }
          asked = true;
          if (!quiet) say("Ending the runs under way ...\n");
          resolve();
        };
        for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, stop);
      });
      await worker.close();
      if (!quiet) say(`Played ${worker.played} runs.\n`);
      // Connections that wait for a Redis that is gone would keep the process.
      process.exit(0);
    });
};
