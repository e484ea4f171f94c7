import { describe, expect, it } from "vitest";
import { escapeForMatcher, toQueryText } from "./prometheus-query-text.ts";

const ref = (name: string, namespace = "shop") => ({ scaler: "k8s", namespace, name });

describe("toQueryText", () => {
  it("fills in window, namespace and names, each name once", () => {
    const query = 'max by (name) (max_over_time(open{namespace=~"{{namespace}}",name=~"{{names}}"}[{{window}}]))';
    const resources = [ref("web"), ref("api"), ref("web")];
    expect(toQueryText({ query }, { windowMs: 300_000, resources })).toBe(
      'max by (name) (max_over_time(open{namespace=~"shop",name=~"api|web"}[5m]))',
    );
  });

  it("makes one alternation of several namespaces", () => {
    const query = "{{namespace}} {{ names }} {{window}}";
    const resources = [ref("b", "two"), ref("a", "one")];
    expect(toQueryText({ query }, { windowMs: 250, resources })).toBe("one|two a|b 250ms");
  });

  it("asks for values and ages in one query", () => {
    expect(
      toQueryText({ query: "open", age: "time() - timestamp(open)" }, { windowMs: 1_000, resources: [ref("a")] }),
    ).toBe(
      'label_replace((open), "dormouse_part", "value", "", "") or label_replace((time() - timestamp(open)), "dormouse_part", "age", "", "")',
    );
  });

  it("leaves a resource's name as data: no `$`, no pattern, no end of the string", () => {
    const names = ["a.b", "$&", '"} or vector(0) #', "(x|y)+", "back\\slash"];
    const text = toQueryText(
      { query: 'x{name=~"{{names}}"}' },
      { windowMs: 1_000, resources: names.map((name) => ref(name)) },
    );
    expect(text.slice(9, -2)).not.toMatch(/["$()+ ]/);
    expect(escapeForMatcher("a.b-c:d_e")).toBe("a[.]b-c:d_e");
    expect(escapeForMatcher('"')).toBe(String.raw`\\x{22}`);
  });
});
