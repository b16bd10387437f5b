import type { PriceSheet } from "../../protocol/messages.ts";
import { defaultExportOf, policyError } from "./compile.ts";
import type { CustomPolicy, Setting, Settings } from "./source.ts";
import { PolicyError } from "./source.ts";

const PARTS = ["inputMsatPerMtok", "outputMsatPerMtok", "fixedMsat"] as const;

/** Stands between the lab and a user's own policy: whatever that does wrong becomes one line that names its file. */
export class Guard<Policy extends { readonly options?: Settings }> {
  readonly policy: Policy;
  /** The policy's settings, as the scenario has them. */
  readonly options: Settings;
  readonly #source: CustomPolicy;

  /**
   * @param type what the default export should be, and the method that makes it one.
   * @throws PolicyError where it is not, or the settings are not among its own.
   */
  constructor(source: CustomPolicy, type: string, method: string) {
    this.#source = source;
    const found = defaultExportOf(source);
    if (typeof found !== "object" || found === null) this.refuse(`the default export: found ${this.say(found)}; allowed: a ${type}, an object with the method ${method}`);
    const policy = found as Record<string, unknown>;
    if (typeof policy[method] !== "function") this.refuse(`the default export: found ${policy[method] === undefined ? `an object without ${method}` : `${method}: ${this.say(policy[method])}`}; allowed: a ${type}, an object with the method ${method}`);
    this.policy = found as Policy;
    this.options = this.#settings(policy["options"]);
  }

  #settings(given: unknown): Settings {
    if (given !== undefined && (typeof given !== "object" || given === null || Array.isArray(given))) this.refuse(`options: found ${this.say(given)}; allowed: an object of settings with their defaults`);
    const own = (given ?? {}) as Record<string, unknown>;
    const settings: Record<string, Setting> = {};
    for (const [name, value] of Object.entries(own)) {
      if (!isSetting(value)) this.refuse(`options.${name}: found ${this.say(value)}; allowed: a finite number, a text, true or false`);
      settings[name] = value as Setting;
    }
    const names = Object.keys(settings);
    for (const [name, value] of Object.entries(this.#source.options)) {
      if (!Object.hasOwn(settings, name)) this.refuse(`found the setting ${name}, which the policy does not have; allowed: ${names.length === 0 ? "no settings" : names.join(", ")}`);
      if (typeof value !== typeof settings[name]) this.refuse(`the setting ${name}: found ${this.say(value)}; allowed: a ${typeof settings[name] === "string" ? "text" : typeof settings[name]}, as its default ${this.say(settings[name])} is`);
      settings[name] = value;
    }
    return Object.freeze(settings);
  }

  /** Asks the policy. @param what in words, for the message where it throws. */
  call<T>(what: string, ask: () => T): T {
    try {
      return ask();
    } catch (error) {
      const { message } = policyError(this.#source, error);
      throw new PolicyError(`${message} (${what})`);
    }
  }

  /** What the policy gave as prices, as our own. @param more what else would be allowed. */
  sheet(found: unknown, where: string, more = ""): PriceSheet {
    const part = (name: typeof PARTS[number]): number => {
      const value: unknown = typeof found === "object" && found !== null ? (found as Record<string, unknown>)[name] : undefined;
      if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) {
        const what = typeof found === "object" && found !== null ? `${name} ${value === undefined ? "missing" : this.say(value)}` : this.say(found);
        this.refuse(`${where}: found ${what}; allowed: {${PARTS.join(", ")}}, each a whole number of msat from 0${more}${typeof value === "number" && value > 0 ? " (Math.round makes one whole)" : ""}`);
      }
      return value as number;
    };
    return { inputMsatPerMtok: part("inputMsatPerMtok"), outputMsatPerMtok: part("outputMsatPerMtok"), fixedMsat: part("fixedMsat") };
  }

  /** @throws PolicyError always. */
  refuse(what: string): never {
    throw new PolicyError(`${this.#source.file}: ${what}`);
  }

  /** A value in few words. */
  say(value: unknown): string {
    if (value === undefined) return "nothing";
    if (typeof value === "function") return "a function";
    if (typeof value === "object" && value !== null) return Array.isArray(value) ? "a list" : `an object with ${Object.keys(value).slice(0, 5).join(", ") || "no keys"}`;
    return typeof value === "string" ? JSON.stringify(value.slice(0, 40)) : String(value);
  }
}

function isSetting(value: unknown): value is Setting {
  return typeof value === "string" || typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value));
}
