import { expect, it } from "vitest";
import { someEvent } from "../../test/fake-admin-host.ts";
import { describeEvent } from "./describe-event.ts";

it("says an event in one line", () => {
  expect(describeEvent(someEvent()).replace(/^\d\d:\d\d:\d\d\.\d{3}/, "TIME")).toBe(
    "TIME  wake done  local/default/hello  0 → 1, in 412 ms (start 400 ms), by request: a request is held",
  );
});

it("leaves out what it does not have, and names the code of a failure", () => {
  const {
    from: _,
    to: __,
    tookMs: ___,
    phases: ____,
    ...bare
  } = someEvent({
    kind: "config",
    resource: "",
    by: "file",
    reason: "d.yaml:1:1: x",
    outcome: "refused",
    code: "CONFIG_INVALID",
  });
  expect(describeEvent(bare)).toMatch(/ {2}config refused {2}CONFIG_INVALID, by file: d\.yaml:1:1: x$/);
});
