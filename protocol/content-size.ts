import { CONTENT_BYTES_MAX } from "./limits.ts";
import type { MessageType } from "./messages.ts";

const KIB = 1_024;

/** Messages that may be long: those with a list of offers, and those that carry text. */
const LONG: Partial<Record<MessageType, number>> = {
  descriptor: 64 * KIB,
  job: CONTENT_BYTES_MAX,
  award: CONTENT_BYTES_MAX,
  "token-chunk": 2_048 * KIB,
};

/** Longest content of an envelope that carries a message of this type, in bytes of UTF-8: 8 KiB for most. */
export function contentBytesMax(type: MessageType): number {
  return LONG[type] ?? 8 * KIB;
}

/** Whether content of this length can be a message of the type that it says it is of; cheap, for what nothing is known of. */
export function mayBeSoLong(type: unknown, utf16Units: number): boolean {
  return utf16Units <= (typeof type === "string" && Object.hasOwn(LONG, type) ? contentBytesMax(type as MessageType) : 8 * KIB);
}

/** Bytes of a string in UTF-8, a lone surrogate counted as three; stops counting above `max` and then returns `max + 1`. */
export function utf8BytesUpTo(value: string, max: number): number {
  if (value.length > max) return max + 1;
  let bytes = 0;
  for (let i = 0; i < value.length && bytes <= max; i++) {
    const codePoint = value.codePointAt(i)!;
    if (codePoint < 0x80) bytes += 1;
    else if (codePoint < 0x800) bytes += 2;
    else if (codePoint < 0x10000) bytes += 3;
    else { bytes += 4; i++; }
  }
  return bytes <= max ? bytes : max + 1;
}
