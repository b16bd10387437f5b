import type { Ledger } from "../live/wallet/ledger.ts";
import { formatMsat } from "../protocol/format.ts";
import { encodePublicKey } from "../protocol/keys.ts";
import { plainTable } from "./table.ts";

/** Who has how much, and that nothing is missing. */
export const balancesText = (ledger: Ledger): string => {
  const rows: string[][] = [];
  for (const { account, balanceMsat, creditMsat } of ledger.accounts()) {
    let outMsat = 0;
    for (const { payer, state, amountMsat, feeMsat } of ledger.paymentsOf(account)) if (payer === account && (state === "offered" || state === "held")) outMsat += amountMsat + feeMsat;
    const change = balanceMsat + outMsat - creditMsat;
    rows.push([encodePublicKey(account), formatMsat(balanceMsat), formatMsat(outMsat), `${change > 0 ? "+" : ""}${formatMsat(change)}`]);
  }
  const { issuedMsat, inFlightMsat, heldMsat, feesMsat } = ledger.sums;
  ledger.check();
  const sums = `Issued ${formatMsat(issuedMsat)} = accounts ${formatMsat(issuedMsat - inFlightMsat - heldMsat - feesMsat)} + in flight ${formatMsat(inFlightMsat)} + held ${formatMsat(heldMsat)} + fees ${formatMsat(feesMsat)}.\n`;
  if (rows.length === 0) return `No accounts yet.\n`;
  return `${plainTable(["account", "balance", "locked", "gained"], ["left", "right", "right", "right"], rows)}\n${sums}`;
};
