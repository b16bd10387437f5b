import type { Wallet, WalletEvent } from "../../scheduler/environment.ts";

/** A wallet on a real clock. Events arrive at the listener after the call that led to them has returned, never within it. */
export interface LiveWallet extends Wallet {
  /** Who hears of payments; set once, before the first. */
  listen(onEvent: (event: WalletEvent) => void): void;
  /** Resolves once the balance is known. @throws WalletError in words for the operator. */
  start(): Promise<void>;
  /** Lets go of the connection. No event follows once it has resolved; payments under way end without this wallet. */
  stop(): Promise<void>;
}

/** A wallet cannot work: in words for the operator, with what to do about it. */
export class WalletError extends Error {
  override readonly name = "UserError";
}
