/** Pale, the palette's blue, dark: more is darker, which people with any common colour blindness see. */
const STOPS = [[226, 236, 244], [0, 114, 178], [5, 42, 78]] as const;
/** From where on white is the better text: found by trying. */
const TURN = 0.57;
/** Where the palette's blue lies. */
const MIDDLE = 0.65;

/** Colour of a cell. @param share 0 (least) to 1 (most) */
export function heatColor(share: number): string {
  const [pale, blue, dark] = STOPS;
  const [from, to, part] = share < MIDDLE ? [pale, blue, share / MIDDLE] : [blue, dark, (share - MIDDLE) / (1 - MIDDLE)];
  return `#${from.map((low, i) => Math.round(low + part * (to[i]! - low)).toString(16).padStart(2, "0")).join("")}`;
}

/** Colour of a text upon it: whichever of white and black has the better contrast, 4 at least. */
export function heatText(share: number): string {
  return share < TURN ? "#14171b" : "#ffffff";
}
