import { ConfigError, ScalerError } from "@dormouse/core";
import { describe, expect, it } from "vitest";
import { loadConfig, parseConfigText } from "./load-config.ts";
import { RefusedConfig } from "./refused-config.ts";

const good = "scalers:\n  - use: process\n    options:\n      resources: []\n";

function problemsOf(text: string, overrides = {}): readonly string[] {
  try {
    parseConfigText(text, { file: "d.yaml", ...overrides });
  } catch (error) {
    if (error instanceof RefusedConfig) return error.message.split("\n");
    throw error;
  }
  return [];
}

describe("a configuration", () => {
  it("is parsed with its defaults and knows its folder", () => {
    const loaded = parseConfigText(good, { file: "some/d.yaml", path: "/folder/some/d.yaml" });
    expect(loaded).toMatchObject({ file: "some/d.yaml", folder: "/folder/some", text: good });
    expect(loaded.config.dlx.listen).toBe("127.0.0.1:8080");
  });

  it("names line, column, place and mend of each wrong key and value", () => {
    const problems = problemsOf(`${good}dlx:\n  lisen: 127.0.0.1:1\ndefaults: { idleAfter: 10 }\n`);
    expect(problems).toEqual([
      'd.yaml:6:3: dlx.lisen: is no known key; did you mean "listen"?',
      expect.stringMatching(/^d\.yaml:7:13: defaults\.idleAfter: 10 is no duration; write /),
    ]);
  });

  it("names the variable or flag where that is what is wrong", () => {
    const overrides = [{ path: ["dlx", "listen"], value: "8080", origin: "DORMOUSE_DLX_LISTEN" }];
    expect(problemsOf(good, { overrides })[0]).toMatch(
      /^DORMOUSE_DLX_LISTEN: dlx\.listen: "8080" is no listen address/,
    );
  });

  it("prefers overrides to what the file says, and mends the file by them", () => {
    const overrides = [{ path: ["dlx", "listen"], value: "127.0.0.1:9", origin: "--listen" }];
    expect(parseConfigText(`${good}dlx: { listen: nonsense }\n`, { file: "d.yaml", overrides }).config.dlx.listen).toBe(
      "127.0.0.1:9",
    );
  });
});

describe("what later steps refuse", () => {
  const loaded = parseConfigText(good, { file: "d.yaml" });

  it("gets the place of the key that it is about", () => {
    const refused = loaded.refuse(
      new ConfigError([{ place: "scalers[0].options.resources", problem: "is bad", mend: "be good" }]),
    );
    expect(refused?.message).toBe("d.yaml:4:7: scalers[0].options.resources: is bad; be good");
  });

  it("counts plugins that cannot be loaded as something to mend, at the place given", () => {
    const refused = loaded.refuse(new ScalerError("PLUGIN_NOT_FOUND", 'plugin "x" was not found'), "scalers[0].use");
    expect(refused?.message).toBe('d.yaml:2:5: scalers[0].use: plugin "x" was not found');
  });

  it("leaves everything else alone", () => {
    expect(loaded.refuse(new ScalerError("SCALER_UNAVAILABLE", "away"), "scalers[0]")).toBeUndefined();
    expect(loaded.refuse(new Error("other"))).toBeUndefined();
  });
});

describe("a file", () => {
  it("that does not exist is refused with the way to get one", async () => {
    await expect(loadConfig({ file: "/nowhere/d.yaml" })).rejects.toThrow(
      '/nowhere/d.yaml: does not exist; give one with -c FILE, or write one with "dormouse init"',
    );
  });

  it("that is a folder is refused", async () => {
    await expect(loadConfig({ file: "/tmp" })).rejects.toThrow("/tmp: is a folder; name the file in it");
  });
});
