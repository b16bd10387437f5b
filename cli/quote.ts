import type { Command } from "commander";
import { encodePublicKey } from "../protocol/keys.ts";
import { formatDurationUs, formatMsat, formatMsatPerMtok, formatPercent } from "../protocol/units.ts";
import { type AskFlags, asClient, declaredLength, jobOf, readPrompt, withAskOptions } from "./ask.ts";
import { EXIT, UserError } from "./errors.ts";

/** `infernet quote`: what would it cost? */
export const registerQuote = (program: Command): void => {
  const command = program.command("quote")
    .summary("asks what a job would cost at most, and which node would serve it")
    .description("Asks the router of the settings what a job would cost at most now, and which node would serve it. The prompt itself is not sent, and nothing is set aside.")
    .argument("[prompt]", "what would be asked; -, or none: from standard input");
  withAskOptions(command)
    .addHelpText("after", `
Examples:
  $ infernet quote "Why is the sky blue?"
  $ infernet quote --max-tokens 1000 --input-tokens 500 "a prompt like this"
${declaredLength}`)
    .action(async (argument: string | undefined, flags: AskFlags) => {
      const prompt = readPrompt(argument);
      await asClient(flags, async (client, config) => {
        const spec = jobOf(flags, config, prompt);
        const answer = await client.quote(spec);
        if (flags.json === true) {
          const { type: _, ...rest } = answer;
          process.stdout.write(`${JSON.stringify({ model: spec.model, inputTokens: spec.inputTokens, maxOutputTokens: spec.maxOutputTokens, ...rest })}\n`);
          if (answer.type === "refuse") process.exitCode = EXIT.user;
          return;
        }
        if (answer.type === "refuse") {
          throw new UserError(`no node serves ${spec.model} with ${spec.inputTokens} + ${spec.maxOutputTokens} tokens for ${formatMsat(spec.maxPriceMsat)} at most (${answer.reason}). Try a higher --max-price, fewer --max-tokens, or another --model`);
        }
        const { node, prices, fee, maxAmountMsat, validForUs } = answer;
        const charged = [fee.shareBps > 0 ? formatPercent(fee.shareBps / 10_000) : "", fee.flatMsat > 0 ? formatMsat(fee.flatMsat) : ""].filter((part) => part !== "").join(" + ");
        process.stdout.write([
          `at most ${formatMsat(maxAmountMsat)} for up to ${spec.inputTokens} tokens in and ${spec.maxOutputTokens} out, the router's fee included`,
          `node    ${encodePublicKey(node)}`,
          `prices  ${formatMsatPerMtok(prices.inputMsatPerMtok)} in, ${formatMsatPerMtok(prices.outputMsatPerMtok)} out${prices.fixedMsat > 0 ? `, ${formatMsat(prices.fixedMsat)} per job` : ""}${charged === "" ? "" : `; fee ${charged}`}`,
          `meant to hold for ${formatDurationUs(validForUs)}`, "",
        ].join("\n"));
      });
    });
};
