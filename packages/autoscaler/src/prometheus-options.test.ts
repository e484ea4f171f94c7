import { describe, expect, it } from "vitest";
import { prometheusOptionsSchema, unitFactor } from "./prometheus-options.ts";

const minimal = { url: "http://127.0.0.1:9090", metrics: { open: { query: "open" } } };

function problemsOf(different: object): string {
  const { error } = prometheusOptionsSchema.safeParse({ ...minimal, ...different });
  return error?.issues.map(({ path, message }) => `${path.join(".")} ${message}`).join("; ") ?? "";
}

describe("the options of the source prometheus", () => {
  it("need a URL and metrics, and have defaults for the rest", () => {
    expect(prometheusOptionsSchema.parse(minimal)).toEqual({
      url: "http://127.0.0.1:9090",
      metrics: { open: { query: "open", label: "name", namespaceLabel: "namespace", unit: "one" } },
      headers: {},
      tls: {},
      timeout: 4_000,
    });
  });

  it.each([
    ["a misspelt placeholder", { metrics: { open: { query: "x{n=~'{{name}}'}" } } }, "unknown placeholder"],
    ["an unknown key", { metric: {} }, "metric"],
    ["another scheme", { url: "ftp://a" }, "write for example"],
    ["credentials in the URL", { url: "http://me:secret@a" }, "must not hold credentials"],
    [
      "two kinds of credentials",
      { token: "t", basicAuth: { username: "u", password: "p" } },
      "has both token and basicAuth",
    ],
    ["a header name with a line break", { headers: { "a\r\nb": "c" } }, "headers"],
    ["a header value with a line break", { headers: { a: "b\r\nc: d" } }, "headers.a"],
    ["an unknown unit", { metrics: { open: { query: "x", unit: "furlongs" } } }, "metrics.open.unit"],
  ])("refuse %s", (_, different, expected) => {
    expect(problemsOf(different)).toContain(expected);
  });

  it("know what a unit is in its base unit", () => {
    expect(unitFactor("milliseconds")).toBe(0.001);
    expect(unitFactor("mebibytes")).toBe(1_048_576);
    expect(unitFactor("one")).toBe(1);
  });
});
