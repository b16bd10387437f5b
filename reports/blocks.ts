import type { PlotName } from "./plots/titles.ts";

/** A report in words, tables and plots, before it takes a form. @typeParam Name - names of its plots */
export interface Content<Name extends string = PlotName> {
  readonly title: string;
  /** The scenario's question. */
  readonly question: string;
  readonly sections: readonly Section<Name>[];
}

export interface Section<Name extends string = PlotName> {
  readonly title: string;
  readonly blocks: readonly Block<Name>[];
}

export type Block<Name extends string = PlotName> =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "list"; readonly items: readonly string[] }
  /** Text whose line breaks are its author's. */
  | { readonly kind: "verbatim"; readonly text: string }
  /** @property folded shown when somebody asks for it, because it is long */
  | { readonly kind: "table"; readonly caption: string; readonly head: readonly string[]; readonly rows: readonly (readonly string[])[]; readonly folded?: boolean }
  | { readonly kind: "plot"; readonly name: Name };
