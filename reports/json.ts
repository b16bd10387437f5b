/** The text of a report as JSON: indented, with a line of its own for each member, and a list of numbers on one line. Ends with a line break. */
export function renderJson(report: unknown): string {
  return `${write(report, "")}\n`;
}

function write(value: unknown, indent: string): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const deeper = `${indent}  `;
  if (Array.isArray(value)) {
    if (value.length === 0) return "[]";
    if (value.every((item) => typeof item !== "object" || item === null)) return `[${value.map((item) => JSON.stringify(item)).join(", ")}]`;
    return `[\n${value.map((item) => deeper + write(item, deeper)).join(",\n")}\n${indent}]`;
  }
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  if (members.length === 0) return "{}";
  return `{\n${members.map(([key, member]) => `${deeper}${JSON.stringify(key)}: ${write(member, deeper)}`).join(",\n")}\n${indent}}`;
}
