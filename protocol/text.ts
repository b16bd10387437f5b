import { z } from "zod";

/**
 * Free text of at most `maxCodePoints` Unicode code points, without lone surrogates: they have no UTF-8 form, so no two
 * implementations would hash them alike.
 */
export function text(maxCodePoints: number): z.ZodString {
  return bounded(maxCodePoints, /^\P{Cs}*$/u, "well-formed Unicode");
}

/** As `text`, for what is shown to people: without control characters, which could rewrite a reader's terminal. */
export function label(maxCodePoints: number): z.ZodString {
  return bounded(maxCodePoints, /^[^\p{Cc}\p{Cs}]*$/u, "well-formed Unicode without control characters");
}

/** As `text`, for what is JSON itself: without the control characters that JSON writes as escapes. */
export function jsonText(maxCodePoints: number): z.ZodString {
  return bounded(maxCodePoints, /^[^\x00-\x1f\p{Cs}]*$/u, "JSON without raw control characters");
}

// Zod's own `max` counts UTF-16 units where JSON Schema's `maxLength` counts code points, so the length is checked here
// and told to the JSON Schema as metadata.
function bounded(maxCodePoints: number, pattern: RegExp, what: string): z.ZodString {
  return z.string()
    .refine((value) => hasAtMostCodePoints(value, maxCodePoints), { error: `must have at most ${maxCodePoints} code points`, abort: true })
    .refine((value) => pattern.test(value), { error: `must be ${what}` })
    .meta({ maxLength: maxCodePoints, pattern: pattern.source });
}

/** Whether a string has at most `max` Unicode code points; a lone surrogate counts as one. */
export function hasAtMostCodePoints(value: string, max: number): boolean {
  if (value.length <= max) return true;
  if (value.length > 2 * max) return false;
  let count = 0;
  for (let i = 0; i < value.length; i++) {
    if (value.codePointAt(i)! > 0xffff) i++;
    if (++count > max) return false;
  }
  return true;
}
