import type { PeerId } from "../../protocol/messages.ts";
import type { SettlementPlan } from "../../scheduler/settlement/plan.ts";
import { liveSigner, newSecretKey } from "../keys.ts";
import { startClient } from "../process/client.ts";
import { RemoteWallet } from "../wallet/remote-wallet.ts";

/* A client in a process of its own that buys as many jobs as its parent asks for: what stays in its memory can be measured. */

/** Whose jobs it is to buy; the first message of its parent. */
export interface Market {
  readonly url: string;
  readonly router: PeerId;
  readonly ledgerUrl: string;
  readonly model: string;
  readonly settlement?: SettlementPlan;
}

/** The messages after that: so many jobs, a few at once. */
export interface Order {
  readonly jobs: number;
  readonly atOnce: number;
  /** Each so-many-th is cancelled right away; 0: none. */
  readonly cancelEvery: number;
  readonly promptCharacters: number;
}

/** Its answer: jobs by how they ended, and its balance, msat. */
export interface Bought {
  readonly ended: Readonly<Record<string, number>>;
  readonly balanceMsat: number;
  readonly open: number;
}

process.on("disconnect", () => process.exit(0));
process.once("message", (market: Market) => void begin(market));

async function begin({ url, router, ledgerUrl, model, settlement }: Market): Promise<void> {
  const signer = liveSigner(newSecretKey());
  const wallet = new RemoteWallet({ url: ledgerUrl, signer });
  const client = await startClient({ signer, wallet, newKey: true, router: { url, key: router }, region: "eu", settlement, onFault: (fault) => { throw fault; } });
  const buy = async ({ jobs, atOnce, cancelEvery, promptCharacters }: Order): Promise<Bought> => {
    const ended: Record<string, number> = {};
    let sent = 0;
    const one = async (): Promise<void> => {
      while (sent < jobs) {
        const number = ++sent;
        const { outcome, cancel } = client.submit({ model, prompt: "x".repeat(promptCharacters), maxOutputTokens: 20, maxPriceMsat: 1_000_000, patienceUs: 60_000_000 });
        if (cancelEvery > 0 && number % cancelEvery === 0) cancel();
        const { status } = await outcome;
        ended[status] = (ended[status] ?? 0) + 1;
      }
    };
    await Promise.all(Array.from({ length: atOnce }, one));
    return { ended, balanceMsat: client.balanceMsat, open: client.open };
  };
  process.on("message", (order: Order) => void buy(order).then((bought) => process.send!(bought)));
  process.send!("ready");
}
