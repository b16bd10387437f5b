import { readFileSync } from "node:fs";
import { type Command, Option } from "commander";
import { readClientConfig } from "../live/config/client.ts";
import type { ClientConfig } from "../live/config/client.ts";
import { boundOnTokens, type JobSpec, type RunningClient, startClient } from "../live/process/client.ts";
import { PROMPT_CODE_POINTS_MAX } from "../protocol/limits.ts";
import { UserError } from "./errors.ts";
import { type EventFlags, eventsOf, openObserver, outagesInWords, ownSigner, tellFault, walletOf } from "./live-process.ts";
import { filePath, wholeNumber, wholeQuantity } from "./options.ts";

/** What `infer` and `quote` have in common: the prompt, its bounds, and the client. */
export interface AskFlags extends EventFlags {
  readonly config: string;
  readonly model?: string;
  readonly maxTokens?: number;
  readonly maxPrice?: number;
  readonly inputTokens?: number;
  readonly json?: true;
}

/** Adds the options of both. */
export const withAskOptions = (command: Command): Command => command
  .option("--config <file>", "the client's settings, in YAML", filePath, "client.yaml")
  .option("--model <name>", "the model asked for (default: the settings')")
  .option("--max-tokens <n>", "most output tokens (default: the settings')", wholeNumber(1, 2 ** 31 - 1))
  .addOption(new Option("--max-price <amount>", "the most that it may cost in all (default: the settings')").argParser(wholeQuantity("money")))
  .option("--input-tokens <n>", "most tokens of the prompt that are paid for (default: as many as the prompt has bytes, and 16)", wholeNumber(1, 2 ** 31 - 1))
  .option("--json", "print one record as JSON");

/** How the prompt's length is declared, for help texts. */
export const declaredLength = `
A client has no tokenizer. It declares a bound on the prompt's tokens, by default its bytes and 16, which no model of today
exceeds; the node counts, bills what it counted, and refuses what has more. A tighter bound (--input-tokens) lets long prompts
fit into a context, and low maximum prices be enough.
`;

/**
 * The prompt: the argument, or standard input where there is none or it is `-`.
 * @throws UserError where there is none
 */
export const readPrompt = (argument: string | undefined): string => {
  let prompt = argument;
  if (prompt === undefined || prompt === "-") {
    if (process.stdin.isTTY) throw new UserError("there is no prompt. Give it as an argument, in quotes, or on standard input");
    try {
      prompt = new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(0));
    } catch (error) {
      if (error instanceof TypeError) throw new UserError("the prompt on standard input is no UTF-8 text");
      throw error;
    }
  }
  if (prompt.trim() === "") throw new UserError("the prompt is empty");
  if (!prompt.isWellFormed()) throw new UserError("the prompt is not well-formed Unicode");
  if (prompt.length > PROMPT_CODE_POINTS_MAX && [...prompt].length > PROMPT_CODE_POINTS_MAX) throw new UserError(`the prompt is longer than ${PROMPT_CODE_POINTS_MAX} characters`);
  return prompt;
};

/** The job that flags and settings ask for. @throws UserError where neither names a model */
export const jobOf = (flags: AskFlags, config: ClientConfig, prompt: string): JobSpec => {
  const model = flags.model ?? config.model;
  if (model === undefined) throw new UserError(`no model is named. Give --model NAME, or set it in ${flags.config}: model: NAME`);
  if (!/^[A-Za-z0-9._:/-]{1,128}$/.test(model)) throw new UserError(`found the model name ${JSON.stringify(model)}. Allowed: letters, digits and . _ : / -`);
  return {
    model, prompt, inputTokens: flags.inputTokens ?? boundOnTokens(prompt), maxOutputTokens: flags.maxTokens ?? config.maxOutputTokens,
    maxPriceMsat: flags.maxPrice ?? config.maxPriceMsat, patienceUs: config.patienceUs,
  };
};

/**
 * Connects as the settings say, does something, and goes.
 * @throws UserError and the like where the router, the ledger or the key file is not as it has to be
 */
export const asClient = async <T>(flags: AskFlags, use: (client: RunningClient, config: ClientConfig) => Promise<T>): Promise<T> => {
  const config = readClientConfig(flags.config);
  const signer = ownSigner(config.keyFile);
  const { clock, telemetry, close } = eventsOf(flags);
  const outages = outagesInWords();
  const router = `router ${config.router.url}`;
  let isUp = false;
  // A command says what there is to say in words; traces go where OpenTelemetry's variables say.
  const observer = await openObserver("client", signer.publicKey, { log: "silent", metrics: null });
  try {
    const client = await startClient({
      signer, router: config.router, region: config.region, settlement: config.settlement, paymentAttempts: config.paymentAttempts, refundWithinUs: config.refundWithinUs, wallet: walletOf(config.wallet, signer, outages), clock, telemetry, observer,
      onFault: tellFault,
      onUp: () => outages.up(router),
      // What fails at the start is told by the error.
      onDown: (why) => { if (isUp) outages.down(router, why); },
    });
    isUp = true;
    try {
      return await use(client, config);
    } finally {
      await client.stop();
    }
  } finally {
    close();
    await observer.close();
  }
};
