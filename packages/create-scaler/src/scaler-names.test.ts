import { describe, expect, it } from "vitest";
import { toScalerNames } from "./scaler-names.ts";

describe("the names of a scaler", () => {
  it.each([
    ["nomad", "dormouse-scaler-nomad", "dormouse-scaler-nomad", "nomad"],
    ["cloud-run", "dormouse-scaler-cloud-run", "dormouse-scaler-cloud-run", "cloud-run"],
    ["dormouse-scaler-nomad", "dormouse-scaler-nomad", "dormouse-scaler-nomad", "nomad"],
    ["scaler-nomad", "scaler-nomad", "scaler-nomad", "nomad"],
    ["nomad-scaler", "nomad-scaler", "nomad-scaler", "nomad"],
    ["@acme/dormouse-scaler-nomad", "@acme/dormouse-scaler-nomad", "dormouse-scaler-nomad", "nomad"],
    ["@acme/nomad", "@acme/nomad", "nomad", "nomad"],
  ])("of %s", (given, packageName, folder, kebab) => {
    expect(toScalerNames(given)).toMatchObject({ packageName, folder, kebab });
  });

  it("have a form for values and one for classes", () => {
    expect(toScalerNames("cloud-run2")).toMatchObject({ camel: "cloudRun2", pascal: "CloudRun2" });
  });

  it.each([
    ["Nomad", /capital letters/],
    ["no mad", /URL-friendly/],
    ["../nomad", /URL-friendly.*the folder is chosen by --folder/],
    ["@acme/", /is no name for an npm package/],
    ["", /leaves no platform|is no name/],
    ["scaler", /leaves no platform/],
    ["dormouse-scaler-", /leaves no platform/],
    ["3proxy", /leaves no platform/],
    ["no_mad", /leaves no platform/],
    [`n${"o".repeat(300)}`, /214/],
  ])("are refused for %j", (given, reason) => {
    expect(() => toScalerNames(given)).toThrow(reason);
  });
});
