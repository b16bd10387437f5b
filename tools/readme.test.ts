import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { buildProgram } from "../cli/program.ts";
import { loadScenario } from "../sim/scenario/load.ts";
import { rooms } from "./architecture.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const readme = readFileSync(`${root}/README.md`, "utf8");

describe("the README keeps up with", () => {
  test("the scenarios", () => {
    const names = readdirSync(`${root}/scenarios`).filter((name) => name.endsWith(".yaml")).map((name) => name.replace(".yaml", ""));
    expect(names.length).toBeGreaterThan(5);
    expect(names.filter((name) => !readme.includes(`\`${name}\``))).toEqual([]);
  });

  test("the commands", () => {
    for (const command of buildProgram().commands) {
      for (const name of command.commands.length === 0 ? [command.name()] : command.commands.map((child) => `${command.name()} ${child.name()}`)) {
        expect(readme, name).toMatch(new RegExp(`^\\| [^|]*\`${name}[ \`]`, "m"));
      }
    }
  });

  test("what can be set: the comparisons that it invites to", () => {
    const commands = [...readme.matchAll(/`([\w-]+) --set (?:'([^']+)'|(\S+))` \|/g)];
    expect(commands.length).toBeGreaterThanOrEqual(8);
    for (const [, name, quoted, plain] of commands) {
      const { scenario } = loadScenario(readFileSync(`${root}/scenarios/${name!}.yaml`), `${name!}.yaml`, { sets: [quoted ?? plain!] });
      expect(scenario.name).toBe(name);
    }
  });

  test("the rooms that exist", () => {
    for (const room of rooms) if (room !== "." && existsSync(`${root}/${room}`)) expect(readme, room).toContain(`| \`${room}/\` |`);
  });

  test("the files it links to", () => {
    const links = [...readme.matchAll(/\]\((?!https?:|#)([^)]+)\)/g)].map(([, path]) => path!);
    expect(links.length).toBeGreaterThan(0);
    expect(links.filter((path) => !existsSync(`${root}/${path}`))).toEqual([]);
  });
});
