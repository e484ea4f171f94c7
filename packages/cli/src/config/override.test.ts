import { configSchema } from "@dormouse/core";
import { describe, expect, it } from "vitest";
import { applyOverrides, environmentOverrides, overrideVariables, parseSetting } from "./override.ts";

describe("variables", () => {
  it("has one for every key of the sections, by its name in capitals", () => {
    const names = [...overrideVariables().keys()];
    expect(names).toContain("DORMOUSE_DLX_LISTEN");
    expect(names).toContain("DORMOUSE_DEFAULTS_IDLE_AFTER");
    expect(names).toContain("DORMOUSE_TELEMETRY_OTLP");
    expect(names).toContain("DORMOUSE_LOG_LEVEL");
    expect(names).toContain("DORMOUSE_ADMIN_OPEN_METRICS");
  });

  it("covers every section of the schema but the list of scalers and the folder of plugins", () => {
    const sections = new Set([...overrideVariables().values()].map(([section]) => section));
    expect(Object.keys(configSchema.shape).filter((section) => !sections.has(section))).toEqual([
      "scalers",
      "pluginDir",
    ]);
  });

  it("reads values as YAML, and leaves empty and foreign ones alone", () => {
    const overrides = environmentOverrides({
      DORMOUSE_DLX_LISTEN: "[127.0.0.1:1, 127.0.0.1:2]",
      DORMOUSE_DLX_MAX_HELD: "5",
      DORMOUSE_ADMIN_LISTEN: "",
      DORMOUSE_DLX_SERVICE_HOST: "10.0.0.1",
      DORMOUSE_DLX_PORT: "tcp://10.0.0.1:80",
    });
    expect(overrides).toEqual([
      { path: ["dlx", "listen"], value: ["127.0.0.1:1", "127.0.0.1:2"], origin: "DORMOUSE_DLX_LISTEN" },
      { path: ["dlx", "maxHeld"], value: 5, origin: "DORMOUSE_DLX_MAX_HELD" },
    ]);
  });
});

describe("parseSetting", () => {
  it.each([
    ["dlx.listen=127.0.0.1:0", ["dlx", "listen"], "127.0.0.1:0"],
    ["scalers[0].options.resources[1].name=x=y", ["scalers", 0, "options", "resources", 1, "name"], "x=y"],
    ["log={ level: debug }", ["log"], { level: "debug" }],
  ])("reads %s", (text, path, value) => {
    expect(parseSetting(text)).toMatchObject({ path, value });
  });

  it.each(["dlx.listen", "=x", "a b=c"])("refuses %j with an example", (text) => {
    expect(() => parseSetting(text)).toThrow(/^--set: .* is no setting; write KEY=VALUE, for example dlx\.listen=/);
  });

  it("refuses a value that is no YAML", () => {
    expect(() => parseSetting("dlx.listen=[1, 2")).toThrow(/^--set dlx\.listen: is no YAML value/);
  });
});

describe("applyOverrides", () => {
  it("puts later ones above earlier ones and leaves the rest and the original alone", () => {
    const original = { dlx: { listen: "a", maxHeld: 1 }, scalers: [{ use: "x" }] };
    const applied = applyOverrides(original, [
      { path: ["dlx", "listen"], value: "b", origin: "" },
      { path: ["dlx", "listen"], value: "c", origin: "" },
      { path: ["scalers", 1, "use"], value: "y", origin: "" },
      { path: ["admin", "listen"], value: "d", origin: "" },
    ]);
    expect(applied).toEqual({
      dlx: { listen: "c", maxHeld: 1 },
      scalers: [{ use: "x" }, { use: "y" }],
      admin: { listen: "d" },
    });
    expect(original.dlx.listen).toBe("a");
  });

  it("replaces what stands in the way of a path", () => {
    expect(applyOverrides({ dlx: "text" }, [{ path: ["dlx", "listen"], value: "b", origin: "" }])).toEqual({
      dlx: { listen: "b" },
    });
  });
});
