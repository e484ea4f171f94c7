import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { fillInFiles } from "../scripts/fill-in-docs.ts";
import { messageSchemas, toProtocolJsonSchema } from "../scripts/protocol-json-schema.ts";
import { exampleFolder } from "./open-remote.ts";
import { hasPython } from "./python.ts";

const mend = "else run `npx pnpm@12 --filter @dormouse/scaler-remote schema`";
const read = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8");
const page = read("docs/remote-scalers.md");
const messages = [...page.matchAll(/<!-- message: (\S+) -->\n\n```json\n([^]*?)```/g)];

describe("the schema of the protocol", () => {
  it(`is what the code checks by; ${mend}`, () => {
    const written: unknown = JSON.parse(read("packages/scaler-remote/protocol.schema.json"));
    expect(written).toEqual(toProtocolJsonSchema());
  });
});

describe("docs/remote-scalers.md", () => {
  it(`shows the example as it is; ${mend}`, () => {
    expect(fillInFiles(page)).toBe(page);
    expect(page).toContain(read("examples/remote-scaler/threads.py"));
  });

  it.each(messages.map(([, name = "", json = ""]) => [name, json]))(
    "shows a message as it may be sent: %s",
    (name, json) => {
      const schema = messageSchemas.get(name);
      expect(schema, `there is no message ${name}`).toBeDefined();
      const message: unknown = JSON.parse(json);
      // Nothing is shown that the protocol does not know.
      expect(schema?.parse(message)).toMatchObject(message as object);
    },
  );

  it("shows every kind of message", () => {
    const shown = new Set(messages.map(([, name]) => name));
    expect(shown.size).toBeGreaterThanOrEqual(11);
  });

  it.runIf(hasPython)("shows how the kit is run on a program", { timeout: 60_000 }, async () => {
    const pattern = ["--test", "--test-reporter=tap", "--test-name-pattern=list/holds"];
    const output = await runNode([...pattern, "conformance.test.mjs"]);
    expect(output).toMatch(/ok \d+ - list\/holds-the-awake/);
    expect(output).toContain("# fail 0\n");
  });

  it.runIf(hasPython)("shows a configuration that the dormouse command accepts", { timeout: 60_000 }, async () => {
    const command = new URL("../../cli/src/bin.ts", import.meta.url).pathname;
    expect(await runNode([command, "check", "-c", "dormouse.yaml"])).toContain("is good: 1 scaler, 1 resource");
  });
});

/** Runs Node on the sources, in the example's folder. */
async function runNode(parameters: readonly string[]): Promise<string> {
  // A runner that sees itself inside another one's worker reports to that one instead of printing.
  const options = { cwd: exampleFolder, env: { PATH: process.env["PATH"] }, encoding: "utf8" } as const;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--conditions=@dormouse/source", ...parameters],
    options,
  );
  return stdout;
}
