import { formatDurationUs, formatNumber, formatSignificant } from "../protocol/units.ts";
import type { MachineProfile } from "../protocol/profile.ts";
import { plainTable } from "./table.ts";

const perS = (tokens: number, us: number): string => formatSignificant(tokens * 1e6 / us);

/** What was measured, for people. */
export const benchText = ({ name, source, software, settings, model, measured }: MachineProfile): string => {
  const { prefill, decode, loadUs } = measured;
  const by = [software.engineVersion ?? software.engine, software.backend, settings.threads === null ? null : `${settings.threads === 1 ? "1 thread" : `${settings.threads} threads`}`];
  const parts = [
    `${name}\n${[model.parameters === null ? null : `${formatSignificant(model.parameters / 1e9)} B parameters`, model.quantisation, ...by.filter((one) => one !== null && !name.includes(one))].filter((one) => one !== null).join(", ")}${source.file === null ? "" : `; imported from ${source.file}`}`,
  ];
  if (loadUs !== null) parts.push(`Loaded in ${formatDurationUs(Math.round(loadUs))}.`);
  if (prefill.length > 0) {
    const rows = prefill.toSorted((a, b) => a.sequences - b.sequences || a.contextTokens - b.contextTokens || a.tokens - b.tokens)
      .map(({ sequences, tokens, contextTokens, us, spread }) => [String(sequences), formatNumber(tokens), formatNumber(contextTokens), formatDurationUs(Math.round(us)), perS(sequences * tokens, us), spreadText(us, spread)]);
    parts.push(plainTable(["prompts", "tokens", "after", "time", "tokens/s", "spread"], ["right", "right", "right", "right", "right", "right"], rows));
  }
  if (decode.length > 0) {
    const rows = decode.toSorted((a, b) => a.batch - b.batch || a.contextTokens - b.contextTokens)
      .map(({ batch, contextTokens, usPerStep, spread }) => [String(batch), formatNumber(contextTokens), formatDurationUs(Math.round(usPerStep)), perS(batch, usPerStep), perS(1, usPerStep), spreadText(usPerStep, spread)]);
    parts.push(plainTable(["batch", "context", "step", "tokens/s", "of each", "spread"], ["right", "right", "right", "right", "right", "right"], rows));
  }
  return `${parts.join("\n\n")}\n`;
};

/** From least to most, as a share of the median. */
const spreadText = (us: number, spread: { readonly minUs: number; readonly maxUs: number } | null): string => (spread === null ? "" : `${formatSignificant(100 * (spread.maxUs - spread.minUs) / us, 2)} %`);
