import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { renderCliDocs } from "../scripts/render-cli-docs.ts";
import { renderMetricDocs } from "../scripts/render-metric-docs.ts";

const docs = new URL("../../../docs/", import.meta.url);
const mend = "stale: npx pnpm@12 --filter @dormouse/cli run docs && npx pnpm@12 format";

/** The formatter pads tables; that makes no difference. */
function withoutPadding(text: string): string {
  return text
    .replaceAll(/ +/g, " ")
    .replaceAll(/-{3,}/g, "---")
    .replaceAll(/(\| -+ )+\|/g, (row) => row.replaceAll(" ", ""));
}

async function read(name: string): Promise<string> {
  return withoutPadding(await readFile(new URL(name, docs), "utf8"));
}

describe("the documentation", () => {
  it("of the command line is what --help says", async () => {
    expect(await read("cli.md"), mend).toBe(withoutPadding(renderCliDocs()));
  });

  it("of metrics has the table of the code", async () => {
    expect(await read("observability.md"), mend).toBe(
      withoutPadding(await renderMetricDocs(new URL("observability.md", docs))),
    );
  });

  it("of the admin API names every code that it answers with", async () => {
    const codes =
      (await readFile(new URL("../src/admin/problem-response.ts", import.meta.url), "utf8")).match(/ADMIN_[A-Z_]+/g) ??
      [];
    const text = await read("admin-api.md");
    expect(codes.filter((code) => !text.includes(code))).toEqual([]);
  });
});
