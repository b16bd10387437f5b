import type { Command } from "commander";
import type { JobOutcome, JobSpec } from "../live/process/client.ts";
import { encodePublicKey } from "../protocol/keys.ts";
import { formatDurationUs, formatMsat, formatSignificant } from "../protocol/units.ts";
import { type AskFlags, asClient, declaredLength, jobOf, readPrompt, withAskOptions } from "./ask.ts";
import { EXIT, UserError } from "./errors.ts";
import { Interruptions, interruptedExit } from "./interruptions.ts";
import { tell, withEventOptions } from "./live-process.ts";

/** `infernet infer`: asks a model. */
export const registerInfer = (program: Command): void => {
  const command = program.command("infer")
    .summary("asks a model, and pays for the answer")
    .description("Posts a job to the router of the settings, streams the answer to standard output as it comes, pays for it, and says on standard error what it cost, which node served it, and how fast.")
    .argument("[prompt]", "what to ask; -, or none: from standard input");
  withEventOptions(withAskOptions(command), false)
    .addHelpText("after", `
Examples:
  $ infernet infer "Why is the sky blue?"
  $ infernet infer --max-tokens 50 --max-price '2 sat' < question.txt
  $ infernet infer --json "Say hello." | jq .amountMsat
${declaredLength}
All settings: infernet schema client
Where a node is lost in mid-answer, another one begins the answer anew; standard error says so.
`)
    .action(async (argument: string | undefined, flags: AskFlags) => {
      const prompt = readPrompt(argument);
      await asClient(flags, async (client, config) => {
        const spec = jobOf(flags, config, prompt);
        const interruptions = new Interruptions();
        const job = client.submit(spec);
        interruptions.aborted.addEventListener("abort", () => job.cancel());
        let output = "";
        for await (const { text, restarted, attempt } of job.tokens) {
          if (restarted) {
            output = "";
            if (flags.json !== true) process.stdout.write("\n");
            tell(`The node was lost in mid-answer. Another one begins anew (attempt ${attempt}).`);
          }
          if (flags.json === true) output += text;
          else process.stdout.write(process.stdout.isTTY ? harmless(text) : text);
        }
        const outcome = await job.outcome;
        interruptions.ignoreNoMore();
        if (flags.json === true) process.stdout.write(`${JSON.stringify(recordOf(spec, outcome, output))}\n`);
        else {
          if (outcome.firstTokenUs !== null) process.stdout.write("\n");
          if (outcome.status === "completed") tell(summaryOf(outcome));
        }
        if (interruptions.signal !== null) process.exitCode = interruptedExit(interruptions.signal);
        else if (outcome.status !== "completed" && flags.json === true) process.exitCode = EXIT.user;
        else if (outcome.status !== "completed") throw new UserError(whyNot(spec, outcome));
      });
    });
};

/** Text without what would have a terminal do things: a model's answer is anybody's. */
const harmless = (text: string): string => text.replace(/[^\P{Cc}\n\t]/gu, "");

/** Times from the submission on, ms. */
const sinceMs = ({ submittedUs }: JobOutcome, atUs: number | null): number | null => (atUs === null ? null : (atUs - submittedUs) / 1_000);

/** What `--json` prints: the answer, and the job without the prompt. */
const recordOf = (spec: JobSpec, outcome: JobOutcome, output: string): unknown => {
  const { jobId, status, reason, finishReason, receipt, feeMsat } = outcome;
  return {
    job: jobId, status, reason, model: spec.model, node: receipt === null ? null : encodePublicKey(receipt.node), attempts: receipt?.attempt ?? null,
    inputTokens: receipt?.inputTokens ?? null, outputTokens: receipt?.outputTokens ?? null, finishReason, amountMsat: receipt?.amountMsat ?? null, feeMsat: receipt === null ? null : feeMsat,
    firstTokenMs: sinceMs(outcome, outcome.firstTokenUs), lastTokenMs: sinceMs(outcome, outcome.lastTokenUs), endedMs: sinceMs(outcome, outcome.endedUs), output,
  };
};

const summaryOf = (outcome: JobOutcome): string => {
  const { receipt, feeMsat, finishReason, submittedUs, firstTokenUs, lastTokenUs } = outcome;
  const { inputTokens, outputTokens, amountMsat, node, attempt } = receipt!;
  const parts = [
    `${formatMsat(amountMsat + feeMsat)}${feeMsat > 0 ? ` (${formatMsat(feeMsat)} of it the router's fee)` : ""}`,
    `${inputTokens} tokens in, ${outputTokens} out${finishReason === "length" ? " (cut off there)" : ""}`,
  ];
  if (firstTokenUs !== null && lastTokenUs !== null) {
    parts.push(`first token after ${formatDurationUs(firstTokenUs - submittedUs)}`);
    if (outputTokens > 1 && lastTokenUs > firstTokenUs) parts.push(`${formatSignificant((1e6 * (outputTokens - 1)) / (lastTokenUs - firstTokenUs))} tokens/s`);
  }
  return `${parts.join("; ")}; node ${encodePublicKey(node)}${attempt > 1 ? `, attempt ${attempt}` : ""}`;
};

/** Why there is no answer, and what to do about it. */
const whyNot = ({ model, maxPriceMsat, inputTokens, maxOutputTokens, patienceUs }: JobSpec, { status, reason }: JobOutcome): string => {
  switch (reason) {
    case "no-eligible-node": return `no node serves ${model} with ${inputTokens} + ${maxOutputTokens} tokens for ${formatMsat(maxPriceMsat)} at most. Look what it costs: infernet quote; or change --max-price, --max-tokens, --input-tokens, --model`;
    case "input-over-declared": return `the prompt has more than the ${inputTokens} tokens that were declared. Declare more: --input-tokens`;
    case "context-too-long": return `${inputTokens} + ${maxOutputTokens} tokens are more than the model's context holds. Allowed: less --input-tokens (a bound; the prompt may have fewer than its bytes), less --max-tokens`;
    case "router-queue-full": return "every node that could serve it is busy, and many jobs wait already. Try again later";
    case "router-wait-too-long": return "no node had room for it while the router let it wait. Try again later";
    case "attempts-exhausted": return "every node that was tried failed. Try again";
    case "shutting-down": return "the router is shutting down. Try again later";
    case "patience": return `there was no result within ${formatDurationUs(patienceUs)}. Set more in the settings: patience`;
    case "wrong-output": return "what came is not what the node's receipt says. It was not paid, and disputed";
    case "not-delivered": return "a part of the answer did not come. It was not paid, and disputed. Try again";
    case "over-metered": case "over-charged": return "the node asks for more than was agreed. It was not paid, and disputed";
    case "payment-failed: no-wallet": return "the answer has its price, and the settings name no wallet: wallet: {ledger: ws://...}";
    default: return reason.startsWith("payment-failed") ? `the payment failed (${reason.slice(16)}). Is there enough in the wallet?` : `the job is ${status} (${reason})`;
  }
};
