/** A setting of a user's own policy. */
export type Setting = number | string | boolean;
/** Settings of a user's own policy, by name. */
export type Settings = Readonly<Record<string, Setting>>;

/** A user's own policy, as a scenario carries it: plain data, whole, so that it plays the same wherever it goes. */
export interface CustomPolicy {
  /** The file as the scenario names it. */
  readonly file: string;
  /** SHA-256 of `code` in UTF-8, hexadecimal. */
  readonly sha256: string;
  /** The file's text: TypeScript or JavaScript. */
  readonly code: string;
  /** What the scenario changes of the policy's own settings. */
  readonly options: Settings;
}

/** Something a user's own policy does that it must not. The message names the file, and the line where that is known. */
export class PolicyError extends Error {
  override readonly name = "PolicyError";
}
