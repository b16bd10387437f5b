import { textOn } from "../plots/palette.ts";

/** Pale, the palette's blue, dark: more is darker, which people with any common colour blindness see. */
const STOPS = [[226, 236, 244], [0, 114, 178], [5, 42, 78]] as const;
/** Where the palette's blue lies. */
const MIDDLE = 0.65;

/** Colour of a cell. @param share 0 (least) to 1 (most) */
export function heatColor(share: number): string {
  const [pale, blue, dark] = STOPS;
  const [from, to, part] = share < MIDDLE ? [pale, blue, share / MIDDLE] : [blue, dark, (share - MIDDLE) / (1 - MIDDLE)];
  return `#${from.map((low, i) => Math.round(low + part * (to[i]! - low)).toString(16).padStart(2, "0")).join("")}`;
}

/** Colour of a text upon it. */
export function heatText(share: number): string {
  return share < MIDDLE / 2 ? textOn("") : textOn("#0072b2");
}
