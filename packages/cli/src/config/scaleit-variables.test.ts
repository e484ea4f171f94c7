import { describe, expect, it } from "vitest";
import { parseConfigText } from "./load-config.ts";
import { printConfig } from "./print-config.ts";
import { RefusedConfig } from "./refused-config.ts";
import { scaleItConfig } from "./scaleit-config.ts";
import { hasScaleItVariables, loadScaleItVariables } from "./scaleit-variables.ts";

type Variables = Readonly<Record<string, string>>;

function printedFor(environment: Variables): string {
  return printConfig(loadScaleItVariables(environment, []).config);
}

function printedOf(...replaced: readonly (readonly [string, string])[]): string {
  const text = replaced.reduce((whole, [from, to]) => {
    if (!whole.includes(from)) throw new Error(`the configuration has no ${from}`);
    return whole.replaceAll(from, to);
  }, scaleItConfig);
  return printConfig(parseConfigText(text, { file: "d.yaml" }).config);
}

function problemsOf(environment: Variables): readonly string[] {
  try {
    loadScaleItVariables(environment, []);
  } catch (error) {
    if (error instanceof RefusedConfig) return error.message.split("\n");
    throw error;
  }
  return [];
}

describe("the variables of ScaleIt", () => {
  it("stand for the configuration of a few lines, with its values where they say nothing", () => {
    expect(printedFor({})).toBe(printedOf());
    expect(printedFor({ SCALE_METRIC: "", APP_SERVICE_URL: " " })).toBe(printedOf());
  });

  it("replace single values of it", () => {
    const environment = {
      APP_SERVICE_URL: "http://app.example",
      APP_SERVICE_PORT: "9000",
      SCALE_RESOLUTION_TIME: "2.5",
      SCALE_METRIC: ".70",
      SCALE_TOLERANCE: ".05",
      LOG_LEVEL: "WARNING",
    };
    expect(printedFor(environment)).toBe(
      printedOf(
        ["http://localhost:8123", "http://app.example:9000"],
        ["every: 5s", "every: 2500ms"],
        ["value: 0.8", "value: 0.7"],
        ["tolerance: 0.1", "tolerance: 0.05"],
        ["scalers:", "log: { level: warn }\nscalers:"],
      ),
    );
  });

  it.each([
    [{ APP_SERVICE_URL: "http://app" }, "http://app:8123"],
    [{ APP_SERVICE_PORT: "80" }, "http://localhost"],
    [{ APP_SERVICE_URL: "http://app/" }, "http://app:8123"],
    [{ APP_SERVICE_URL: "http://app/base" }, "http://app:8123/base"],
    [{ APP_SERVICE_URL: "http://[::1]" }, "http://[::1]:8123"],
    [{ APP_SERVICE_URL: "https://app:443" }, "https://app"],
    [{ APP_SERVICE_URL: "http://app:9000", APP_SERVICE_PORT: "9000" }, "http://app:9000"],
  ])("make one address of %j", (environment: Variables, url) => {
    expect(printedFor(environment)).toBe(printedOf(["http://localhost:8123", url]));
  });

  it("are all named where their values are wrong", () => {
    const environment = {
      APP_SERVICE_URL: "localhost",
      APP_SERVICE_PORT: "web",
      SCALE_RESOLUTION_TIME: "5s",
      SCALE_METRIC: "80%",
      SCALE_TOLERANCE: "Infinity",
      LOG_LEVEL: "LOUD",
    };
    expect(problemsOf(environment)).toEqual([
      'APP_SERVICE_URL: "localhost" is no URL; write for example http://localhost',
      'APP_SERVICE_PORT: "web" is no port; write a number from 1 to 65535',
      'SCALE_RESOLUTION_TIME: "5s" is no time; write a number of seconds, for example 5',
      'SCALE_METRIC: "80%" is no number; write for example 0.8',
      'SCALE_TOLERANCE: "Infinity" is no number; write for example 0.8',
      'LOG_LEVEL: "LOUD" is no log level; write DEBUG, INFO, WARNING, ERROR or SILENT',
    ]);
  });

  it.each([
    [{ SCALE_RESOLUTION_TIME: "0" }, "SCALE_RESOLUTION_TIME"],
    [{ SCALE_RESOLUTION_TIME: "1e99" }, "SCALE_RESOLUTION_TIME"],
    [{ APP_SERVICE_PORT: "70000" }, "APP_SERVICE_PORT"],
    [{ APP_SERVICE_URL: "ftp://app" }, "APP_SERVICE_URL"],
    [{ APP_SERVICE_URL: "http://app:1", APP_SERVICE_PORT: "2" }, "APP_SERVICE_PORT"],
  ])("are refused by name: %j", (environment: Variables, name) => {
    expect(problemsOf(environment)).toEqual([expect.stringMatching(new RegExp(`^${name}: `))]);
  });

  it("stand below the variables and flags of Dormouse's own", () => {
    const overrides = [{ path: ["log", "level"], value: "debug", origin: "DORMOUSE_LOG_LEVEL" }];
    expect(loadScaleItVariables({ LOG_LEVEL: "ERROR" }, overrides).config.log.level).toBe("debug");
  });

  it("ask for an application only where one of them has a value, and the log's level alone is none", () => {
    expect(hasScaleItVariables({ SCALE_METRIC: "0.8" })).toBe(true);
    expect(hasScaleItVariables({ SCALE_METRIC: "" })).toBe(false);
    expect(hasScaleItVariables({ LOG_LEVEL: "INFO" })).toBe(false);
  });

  it("are named for what a plugin finds wrong with their values", () => {
    const loaded = loadScaleItVariables({ SCALE_METRIC: "0.8", APP_SERVICE_PORT: "1" }, []);
    const refused = (place: string): string | undefined => loaded.refuseIssues([{ place, problem: "is bad" }]).message;
    const place = "scalers[0].options.resources[0]";
    expect(refused(`${place}.policy.target.value`)).toBe(`SCALE_METRIC: ${place}.policy.target.value: is bad`);
    expect(refused(`${place}.url`)).toBe(`APP_SERVICE_PORT: ${place}.url: is bad`);
    expect(refused("scalers[0].use")).toBe("the environment: scalers[0].use: is bad");
  });
});
