import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatRef, isRefPart, parseRef } from "./resource-ref.ts";
import { resolveDependency } from "./resolve-dependency.ts";

const part = fc.stringMatching(/^[A-Za-z0-9._:-]{1,40}$/).filter((text) => text !== "." && text !== "..");

describe("a printed ref", () => {
  it("is read as it was written", () => {
    fc.assert(
      fc.property(part, part, part, (scaler, namespace, name) => {
        const ref = { scaler, namespace, name };
        expect(parseRef(formatRef(ref))).toEqual(ref);
      }),
    );
  });

  it("has the namespace default where it names none", () => {
    expect(parseRef("local/hello")).toEqual({ scaler: "local", namespace: "default", name: "hello" });
  });

  it.each(["", "hello", "/", "a//b", "a/b/c/d", "a/b/", "a/b c", "a/../b", "a/./b", "a/b/ü"])(
    "refuses %j with the form to write",
    (text) => {
      expect(() => parseRef(text)).toThrow(expect.objectContaining({ code: "SCALER_BAD_ARGUMENT" }));
      expect(() => parseRef(text)).toThrow("write scaler/namespace/name");
    },
  );
});

describe("isRefPart", () => {
  it.each(["a", "statefulset:db", "A.b_c-d:1", "a".repeat(253), "..."])("takes %j", (text) => {
    expect(isRefPart(text)).toBe(true);
  });

  it.each(["", "a/b", "a b", "a".repeat(254), ".", "..", undefined, 7, null])("refuses %j", (text) => {
    expect(isRefPart(text)).toBe(false);
  });
});

describe("resolveDependency", () => {
  const owner = { scaler: "k8s", namespace: "shop", name: "web" };

  it.each([
    ["db", { scaler: "k8s", namespace: "shop", name: "db" }],
    ["statefulset:db", { scaler: "k8s", namespace: "shop", name: "statefulset:db" }],
    ["local/db", { scaler: "local", namespace: "default", name: "db" }],
    ["local/data/db", { scaler: "local", namespace: "data", name: "db" }],
  ])("reads %j beside its owner", (text, ref) => {
    expect(resolveDependency(text, owner)).toEqual(ref);
  });

  it("refuses what is no ref", () => {
    expect(() => resolveDependency("a b", owner)).toThrow(expect.objectContaining({ code: "SCALER_BAD_ARGUMENT" }));
  });
});
