import { describe, expect, it } from "vitest";
import { someReport } from "../../test/fake-admin-host.ts";
import { createPaint } from "./paint.ts";
import { renderList } from "./render-list.ts";

const config = { file: "d.yaml", loadedAt: 1 };
const options = { now: 1_700_000_060_000, width: 120, paint: createPaint(false) };

describe("the list", () => {
  it("says of each resource that is left alone why, and marks it in the table", () => {
    const refusal = { code: "SCALER_BAD_OPTIONS", message: "two workloads behind one Service" } as const;
    const resources = [someReport({ ref: "k8s/shop/web", refusal }), someReport({ ref: "k8s/shop/api" })];
    expect(renderList({ role: "up", resources, config, unlisted: [] }, options)).toMatchInlineSnapshot(`
      "k8s/shop/web is left alone: SCALER_BAD_OPTIONS: two workloads behind one Service
      RESOURCE      STATE              REPLICAS  HELD  IN FLIGHT  LAST USED  LAST WAKE
      k8s/shop/api  awake                   1/1     0          0  -          -
      k8s/shop/web  awake, left alone       1/1     0          0  -          -"
    `);
  });

  it("names refused configurations and scalers that do not list before that", () => {
    const refused = { at: 1, problems: ["d.yaml:1:1: x"] };
    const text = renderList(
      { role: "up", resources: [], config: { ...config, refused }, unlisted: [{ scaler: "k8s" }] },
      options,
    );
    expect(text.split("\n")).toEqual([
      "configuration refused, the old one stays: d.yaml:1:1: x",
      "scaler k8s has not listed: it has just started",
      "no resources",
    ]);
  });
});
