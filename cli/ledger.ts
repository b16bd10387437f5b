import { once } from "node:events";
import { type Command, InvalidArgumentError, Option } from "commander";
import { LedgerServer } from "../live/wallet/ledger-server.ts";
import type { Durability } from "../live/wallet/journal.ts";
import type { LogLevel } from "../live/observe/log.ts";
import { formatMsat } from "../protocol/format.ts";
import { UserError } from "./errors.ts";
import { interruptedExit } from "./interruptions.ts";
import { balancesText } from "./ledger-text.ts";
import { openObserver } from "./live-process.ts";
import { filePath, wholeQuantity } from "./options.ts";

interface LedgerFlags {
  readonly listen: { readonly host: string; readonly port: number };
  /** False: `--no-journal`. */
  readonly journal: string | false;
  readonly credit: number;
  readonly durability: Durability;
  readonly offerTimeout: number;
  readonly metrics?: { readonly host: string; readonly port: number };
  readonly log: LogLevel;
}

/** `infernet ledger`: play money in the place of Lightning. */
export const registerLedger = (program: Command): void => {
  program.command("ledger")
    .summary("keeps the play money that live nodes, clients and routers pay each other with")
    .description(
      "Keeps accounts of play money, which stands for Lightning until real wallets come: nobody can cash it in. Whoever connects with a new key gets an opening credit. " +
      "Payments lock, settle and return their amounts as Lightning's do. Prints its address, and the balances when it is stopped or sent SIGUSR1.",
    )
    .addOption(new Option("--listen <host:port>", "where wallets connect, by WebSocket; port 0: any that is free").argParser(address).default({ host: "127.0.0.1", port: 7_800 }, "127.0.0.1:7800"))
    .option("--journal <file>", "where the accounts are kept: a ledger that was killed goes on from there", filePath, "ledger.journal")
    .option("--no-journal", "keep them in memory alone")
    .addOption(new Option("--credit <amount>", "what a new account opens with").argParser(wholeQuantity("money")).default(1_000_000_000, "1000000 sat"))
    .addOption(new Option("--durability <what>", "what the accounts survive: the end of this process, kill -9 included, or of the machine as well").choices(["process", "power"]).default("power"))
    .addOption(new Option("--offer-timeout <duration>", "how long a payment waits for its payee's wallet").argParser(wholeQuantity("duration")).default(10_000_000, "10s"))
    .option("--metrics <host:port>", "where to serve Prometheus metrics, at /metrics (default: nowhere)", address)
    .addOption(new Option("--log <level>", "how much is logged, as JSON lines on stderr").choices(["silent", "error", "warn", "info", "debug"]).default("info"))
    .addHelpText("after", "\nExample:\n  $ infernet ledger --credit '50000 sat'\n")
    .action(async (flags: LedgerFlags) => {
      const observer = await openObserver("ledger", "", { log: flags.log, metrics: flags.metrics ?? null });
      let fail: (error: unknown) => void = () => {};
      const failure = new Promise<never>((_, reject) => { fail = reject; });
      // It may fail before anybody waits for it.
      failure.catch(() => {});
      const server = new LedgerServer({
        listen: flags.listen,
        journal: flags.journal === false ? undefined : flags.journal,
        durability: flags.durability,
        ledger: { creditMsat: flags.credit, offerMs: Math.ceil(flags.offerTimeout / 1_000) },
        onFailure: (error) => fail(error),
        onRefused: (detail) => observer.log.write("warn", "connection refused", { reason: detail }),
      });
      observer.metrics.ledger(server);
      const url = await server.start().catch((error: NodeJS.ErrnoException) => {
        if (error.code !== "EADDRINUSE" && error.code !== "EADDRNOTAVAIL" && error.code !== "EACCES") throw error;
        const { host, port } = flags.listen;
        throw new UserError(`cannot listen on ${host}:${port}: ${error.code === "EADDRINUSE" ? "another process does" : error.code === "EACCES" ? "that port takes more rights" : "that is no address of this machine"}. Give another: --listen HOST:PORT`);
      });
      process.stderr.write(
        `Play money, in the place of Lightning: an account opens with ${formatMsat(flags.credit)}, and nobody can cash it in.\n` +
        (flags.journal === false ? "The accounts are in memory alone, and gone when this process ends.\n" : `The accounts are in ${flags.journal}.\n`) +
        (server.tornBytes > 0 ? `Its last line was cut off as it was written, and is dropped: nobody had been told of it.\n` : ""),
      );
      process.stdout.write(`${url}\n`);
      const print = (): void => { process.stdout.write(balancesText(server.ledger)); };
      process.on("SIGUSR1", print);
      const [signal] = await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM"), failure]).catch(async (error: NodeJS.ErrnoException) => {
        await server.stop();
        await observer.close();
        if (typeof error.code !== "string") throw error;
        throw new UserError(`${flags.journal} cannot be written any more (${error.code}). Nobody was told of what is not in it: put that right, and start the ledger again`);
      }) as ["SIGINT" | "SIGTERM"];
      process.off("SIGUSR1", print);
      await server.stop();
      await observer.close();
      print();
      process.exitCode = interruptedExit(signal);
    });
};

/** @throws InvalidArgumentError */
const address = (text: string): { readonly host: string; readonly port: number } => {
  const found = /^(?:\[([0-9a-fA-F:.]+)\]|([^:\s]+)):(\d{1,5})$/.exec(text);
  const port = Number(found?.[3]);
  if (found === null || port > 65_535) throw new InvalidArgumentError("Allowed: HOST:PORT, such as 127.0.0.1:7800.");
  return { host: found[1] ?? found[2]!, port };
};
