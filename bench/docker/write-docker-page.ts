import { readFileSync, writeFileSync } from "node:fs";

const page = new URL("../../docs/docker.md", import.meta.url);

const begin = "<!-- numbers: written by npx pnpm@12 bench:docker --write -->";
const end = "<!-- end of numbers -->";

/** Puts a run's table between the page's markers. */
export function writeDockerPage(machine: string, table: string): void {
  const text = readFileSync(page, "utf8");
  const [before, rest] = text.split(begin);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined) throw new Error(`${page.pathname} has lost its markers`);
  writeFileSync(page, `${before}${begin}\n\n${machine}.\n\n${table}\n\n${end}${after}`);
}
