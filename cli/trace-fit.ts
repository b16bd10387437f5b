import { fitYaml, type TraceFit } from "../sim/demand/index.ts";

/** A section to paste into a scenario, with a comment that says where it comes from. */
export const fitText = (fit: TraceFit, name: string): string =>
  `# Fitted to ${fit.trace.file.split(/[/\\]/).at(-1)!} by \`infernet trace fit\`.\n${fitYaml(fit, name)}`;
