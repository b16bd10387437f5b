import type { PriceSheet } from "../../protocol/messages.ts";

/** A price sheet in words, such as "20000 msat/Mtok in, 60000 out, 5 msat a job". */
export function inWords({ inputMsatPerMtok, outputMsatPerMtok, fixedMsat }: PriceSheet): string {
  return `${inputMsatPerMtok} msat/Mtok in, ${outputMsatPerMtok} out${fixedMsat === 0 ? "" : `, ${fixedMsat} msat a job`}`;
}
