import Table from "cli-table3";

/**
 * A table for the terminal without colours and frame: a rule under the head alone, so that common markets fit into 80 columns.
 * @param aligns of each column; all rows have as many cells
 */
export const plainTable = (head: readonly string[], aligns: readonly ("left" | "right")[], rows: readonly (readonly string[])[]): string => {
  const table = new Table({
    head: [...head],
    colAligns: [...aligns],
    style: { head: [], border: [], compact: true, "padding-left": 0, "padding-right": 0 },
    chars: {
      top: "", "top-mid": "", "top-left": "", "top-right": "", bottom: "", "bottom-mid": "", "bottom-left": "", "bottom-right": "",
      left: "", "left-mid": "", right: "", "right-mid": "", middle: "  ", mid: "─", "mid-mid": "──",
    },
  });
  for (const row of rows) table.push([...row]);
  return table.toString().replaceAll(/ +$/gm, "");
};
