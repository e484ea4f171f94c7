import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readEnvironment } from "./read-environment.ts";

let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "dormouse-environment-"));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("an environment with a file", () => {
  it("has the file's variables where it has none or an empty one itself", async () => {
    const file = join(folder, "app.env");
    writeFileSync(
      file,
      '# an application\nexport SCALE_METRIC=.70\nSCALE_TOLERANCE="0.05" # narrow\nAPP_SERVICE_PORT=1\n',
    );
    const own = { SCALE_TOLERANCE: "0.2", APP_SERVICE_PORT: "", HOME: "/home" };
    expect(await readEnvironment(own, file)).toEqual({
      SCALE_METRIC: ".70",
      SCALE_TOLERANCE: "0.2",
      APP_SERVICE_PORT: "1",
      HOME: "/home",
    });
  });

  it("stays as it is without one", async () => {
    const own = { HOME: "/home" };
    expect(await readEnvironment(own, undefined)).toBe(own);
  });

  it("is refused with the name of a file that cannot be read", async () => {
    await expect(readEnvironment({}, join(folder, "none.env"))).rejects.toThrow(
      /none\.env: does not exist; name a file/,
    );
    await expect(readEnvironment({}, folder)).rejects.toThrow(/: is a folder; name the file in it$/);
  });
});
