/**
 * Eight colours that people with any common colour blindness can tell apart, without the palette's yellow and black, which
 * vanish on white and on dark. Okabe and Ito, "Color Universal Design" (2008), and a grey of our own for what is left over.
 */
export const COLORS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"] as const;
export const GREY = "#8a8f98";

/** The colour of text on a colour of the palette: whichever of white and black has the better contrast. */
export function textOn(color: string): string {
  return color === COLORS[0] || color === COLORS[1] || color === COLORS[2] ? "#ffffff" : "#1b1f24";
}

/** Meanings that keep their colour in every figure. */
export const GOOD = "#0072b2";
export const BAD = "#d55e00";

/**
 * Gives the most important classes a colour each; where there are more classes than colours, the rest share grey.
 * @param classes in order of report, each with its weight (say, its jobs)
 */
export function colorsByClass(classes: readonly { readonly name: string; readonly weight: number }[]): { readonly color: (name: string) => string; readonly shown: readonly string[] } {
  const kept = classes.length <= COLORS.length
    ? classes
    : classes.toSorted((a, b) => b.weight - a.weight || (a.name < b.name ? -1 : 1)).slice(0, COLORS.length);
  const names = classes.filter((entry) => kept.includes(entry)).map(({ name }) => name);
  const colors = new Map(names.map((name, index) => [name, COLORS[index]!]));
  return { color: (name) => colors.get(name) ?? GREY, shown: names };
}
