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

  it.runIf(hasPython)("shows how the kit is run on a program", async () => {
    const node = ["--conditions=@dormouse/source", "--test", "--test-reporter=tap", "--test-name-pattern=list/holds"];
    const options = { cwd: exampleFolder, env: { PATH: process.env["PATH"] }, encoding: "utf8" } as const;
    const { stdout } = await promisify(execFile)(process.execPath, [...node, "conformance.test.mjs"], options);
    expect(stdout).toMatch(/ok \d+ - list\/holds-the-awake/);
    expect(stdout).toContain("# fail 0\n");
  });
});
