import { z } from "zod";

// Zod's `max`, like JSON Schema's `maxLength`, counts Unicode code points, and `u` makes a pattern see lone surrogates.

/**
 * Free text of at most `maxCodePoints` Unicode code points, without lone surrogates: they have no UTF-8 form, so no two
 * implementations would hash them alike.
 */
export function text(maxCodePoints: number): z.ZodString {
  return z.string().max(maxCodePoints).regex(/^\P{Cs}*$/u, { error: "must be well-formed Unicode" });
}

/** As `text`, for what is shown to people: without control characters, which could rewrite a reader's terminal. */
export function label(maxCodePoints: number): z.ZodString {
  return z.string().max(maxCodePoints).regex(/^[^\p{Cc}\p{Cs}]*$/u, { error: "must be well-formed Unicode without control characters" });
}

/** As `text`, for what is JSON itself: without the control characters that JSON writes as escapes. */
export function jsonText(maxCodePoints: number): z.ZodString {
  return z.string().max(maxCodePoints).regex(/^[^\x00-\x1f\p{Cs}]*$/u, { error: "must be JSON without raw control characters" });
}
