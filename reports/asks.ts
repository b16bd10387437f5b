import type { AsksReport } from "../protocol/result/asks.ts";
import type { RunReport } from "../protocol/result.ts";
import { formatMsat, formatMsatPerMtok, formatNumber, formatPercent, formatSignificant } from "../protocol/units.ts";
import type { Section } from "./blocks.ts";

const NONE = "–";

type ClassAsks = AsksReport["operatorClasses"][number];

/** What operators asked by their strategies; nothing where no prices could move. */
export function asksSection({ asks }: RunReport): Section[] {
  if (asks === null) return [];
  const learners = asks.operatorClasses.filter(({ choices }) => choices.length > 0);
  return [{
    title: "What operators asked",
    blocks: [
      { kind: "plot", name: "asks" },
      {
        kind: "table", caption: "Means over nodes and the measured interval", head: ["operator class", "strategy", "changes", "input", "output", "per job", "slots"],
        rows: asks.operatorClasses.slice(0, 50).map(({ name, strategy, changes, meanPrices, meanSlots }) => [
          name, strategy, formatNumber(changes), maybe(meanPrices.inputMsatPerMtok, formatMsatPerMtok), maybe(meanPrices.outputMsatPerMtok, formatMsatPerMtok),
          maybe(meanPrices.fixedMsat, formatMsat), maybe(meanSlots, (slots) => formatSignificant(slots, 4)),
        ]),
      },
      ...(learners.length === 0 ? [] : [{
        kind: "table" as const, caption: "Learners: the prices of their grid, as multiples of the opening price, that they asked most",
        head: ["operator class", "strategy", "most", "of the time", "second", "of the time"],
        rows: learners.slice(0, 50).map((learner) => [learner.name, learner.strategy, ...favourites(learner)]),
      }]),
    ],
  }];
}

function favourites({ choices }: ClassAsks): string[] {
  const ranked = choices.toSorted((a, b) => b.share - a.share || a.multiple - b.multiple);
  return [0, 1].flatMap((i) => {
    const choice = ranked[i];
    return choice === undefined ? [NONE, NONE] : [formatPercent(choice.multiple), formatPercent(choice.share)];
  });
}

/** Four digits are enough to compare; report.json has the rest. */
function maybe(value: number | null, format: (value: number) => string): string {
  return value === null ? NONE : format(Number(value.toPrecision(4)));
}
