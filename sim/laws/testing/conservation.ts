import type { Ledger } from "../../world/money/ledger.ts";
import { must } from "./violation.ts";

/** No account is overdrawn or holds a fraction, and together they hold what they were opened with, to the millisatoshi. */
export function mustConserveMoney(ledger: Ledger, nowUs: number): void {
  let total = 0n;
  for (let account = 0; account < ledger.accounts; account++) {
    const balance = ledger.balanceMsat(account);
    must(Number.isSafeInteger(balance) && balance >= 0, () => `account ${account} holds ${balance} msat at ${nowUs} us`);
    total += BigInt(balance);
  }
  must(total === BigInt(ledger.openedMsat), () => `at ${nowUs} us the accounts hold ${total} msat of ${ledger.openedMsat} msat`);
}
