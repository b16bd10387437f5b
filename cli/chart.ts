const eighths = ["", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"] as const;

/**
 * A bar chart for the terminal, one column per value, drawn from 0 in eighths of a line.
 * @param values none negative; at least one
 * @param lines its height; the last line's foot is 0
 * @param label text before each line, given the value that the line's top stands for; equally wide for all
 */
export const barChart = (values: readonly number[], lines: number, label: (value: number) => string): string[] => {
  const most = Math.max(...values);
  return Array.from({ length: lines }, (_, line) => {
    const foot = lines - 1 - line;
    const bars = values.map((value) => {
      const filled = most === 0 ? 0 : Math.round((value / most) * lines * 8) - foot * 8;
      return eighths[Math.max(0, Math.min(8, filled))] || " ";
    });
    return `${label((most * (foot + 1)) / lines)}${bars.join("")}`.trimEnd();
  });
};
