import { expect, it } from "vitest";
import { soleLeader } from "./leader-elector.ts";

it("the sole leader leads from the start until it is told to stop", async () => {
  const abort = new AbortController();
  let isOver = false;
  const leading = soleLeader.lead(abort.signal).then(() => (isOver = true));
  await Promise.resolve();
  expect(soleLeader.isLeader()).toBe(true);
  expect(isOver).toBe(false);
  abort.abort();
  await leading;
  await soleLeader.lead(abort.signal);
});
