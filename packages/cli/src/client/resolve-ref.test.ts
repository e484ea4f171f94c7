import { describe, expect, it } from "vitest";
import { resolveRef } from "./resolve-ref.ts";

const known = ["local/default/hello", "local/default/db", "k8s/prod/db", "k8s/prod/statefulset:cache"];

describe("resolveRef", () => {
  it.each([
    ["local/default/hello", "local default hello"],
    ["local/hello", "local default hello"],
    ["hello", "local default hello"],
    ["prod/db", "k8s prod db"],
    ["statefulset:cache", "k8s prod statefulset:cache"],
  ])("takes %s for %s", (text, expected) => {
    const { scaler, namespace, name } = resolveRef(text, known);
    expect(`${scaler} ${namespace} ${name}`).toBe(expected);
  });

  it("asks which one where several have the name", () => {
    expect(() => resolveRef("db", known)).toThrow(
      '"db" could be any of local/default/db, k8s/prod/db; write one of them out',
    );
  });

  it.each([
    ["Hell", 'there is no resource "Hell"; did you mean local/default/hello?'],
    ["local/prod/db", 'there is no resource "local/prod/db"; did you mean local/default/db or k8s/prod/db?'],
    ["xyz", 'there is no resource "xyz"; see "dormouse ls"'],
    [
      "",
      'there is no resource ""; did you mean local/default/hello or local/default/db or k8s/prod/db or k8s/prod/statefulset:cache?',
    ],
  ])("says what was meant by %j", (text, message) => {
    expect(() => resolveRef(text, known)).toThrow(message);
  });

  it("says that there is nothing at all yet", () => {
    expect(() => resolveRef("x", [])).toThrow("the host knows none at all yet");
  });
});
