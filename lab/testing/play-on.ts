/**
 * `node play-on.ts JOURNAL RUNS [KILLED]`: plays an experiment with a journal, going on with what is there, and prints its
 * result. Is killed by itself as soon as it has added so many runs.
 */
import { existsSync } from "node:fs";
import { conductOn } from "../conduct.ts";
import type { Journal } from "../journal.ts";
import { JournalFile } from "../journal-file.ts";
import { odd, plan, subject, tasks } from "./experiment.ts";

const [path = "", count = "0", killed = "Infinity"] = process.argv.slice(2);
const head = { labVersion: "1", experiment: "test", market: "mm1" };
const journal = existsSync(path) ? JournalFile.resume(path, head) : JournalFile.begin(path, head);
const { found } = journal;
const keeping: Journal = {
  find: (task) => journal.find(task),
  add: (task, outcome) => {
    journal.add(task, outcome);
    if (journal.added >= Number(killed)) process.kill(process.pid, "SIGKILL");
  },
};
const outcomes = await conductOn(plan(tasks(Number(count)), [odd, ...tasks(Number(count) + 3).slice(Number(count))]), subject, { workers: 2, journal: keeping });
process.stdout.write(JSON.stringify(outcomes));
process.stderr.write(JSON.stringify({ found, added: journal.added }));
