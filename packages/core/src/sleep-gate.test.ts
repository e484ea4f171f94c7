import { describe, expect, it } from "vitest";
import { SleepGate } from "./sleep-gate.ts";
import { FakeClock } from "./testing/fake-clock.ts";

const web = { scaler: "local", namespace: "default", name: "web" };
const api = { ...web, name: "api" };

describe("SleepGate", () => {
  it("is open while nothing sleeps", () => {
    expect(new SleepGate(new FakeClock()).whenOpen(web)).toBeUndefined();
  });

  it("lets one sleep in at a time, for each resource", () => {
    const gate = new SleepGate(new FakeClock());
    const pass = gate.close(web);
    expect(pass?.granted).toBe(true);
    expect(gate.close(web)).toBeUndefined();
    expect(gate.close(api)?.granted).toBe(true);
    pass?.done();
    expect(gate.close(web)?.granted).toBe(true);
  });

  it("keeps wakes back until the outcome is known", async () => {
    const gate = new SleepGate(new FakeClock());
    const pass = gate.close(web)!;
    const opened = gate.whenOpen(web);
    expect(opened).toBeInstanceOf(Promise);
    expect(gate.whenOpen(api)).toBeUndefined();
    pass.done();
    await opened;
    expect(gate.whenOpen(web)).toBeUndefined();
  });

  it("keeps wakes back for the settling time where the outcome is unknown", async () => {
    const clock = new FakeClock();
    const gate = new SleepGate(clock);
    gate.close(web)!.unknown(500);
    let isOpen = false;
    const opened = gate.whenOpen(web)!.then(() => (isOpen = true));
    await clock.advance(499);
    expect(isOpen).toBe(false);
    expect(gate.close(web)).toBeUndefined();
    await clock.advance(1);
    await opened;
    expect(gate.whenOpen(web)).toBeUndefined();
  });

  it("gives no grant while a wake is being sent, which may land after whatever is written", () => {
    const gate = new SleepGate(new FakeClock());
    const endWake = gate.beginWake(web);
    const endOther = gate.beginWake(web);
    endWake();
    endWake();
    const early = gate.close(web)!;
    expect(early.granted).toBe(false);
    early.done();
    endOther();
    const late = gate.close(web)!;
    expect(late.granted).toBe(true);
    late.done();
    expect(gate.close(api)?.granted).toBe(true);
  });

  it("takes the grant from a sleep when somebody needs the resource, for good", () => {
    const gate = new SleepGate(new FakeClock());
    const pass = gate.close(web)!;
    gate.cancelSleep(api);
    expect(pass.granted).toBe(true);
    gate.cancelSleep(web);
    expect(pass.granted).toBe(false);
    expect(gate.whenOpen(web)).toBeInstanceOf(Promise);
    pass.done();
    expect(gate.close(web)?.granted).toBe(true);
  });

  it("opens once: a late end of an earlier sleep leaves the later one closed", async () => {
    const clock = new FakeClock();
    const gate = new SleepGate(clock);
    const first = gate.close(web)!;
    first.unknown(100);
    first.done();
    const second = gate.close(web)!;
    await clock.advance(100);
    first.done();
    expect(gate.whenOpen(web)).toBeInstanceOf(Promise);
    expect(second.granted).toBe(true);
  });

  it("does nothing about a sleep where there is none", () => {
    const gate = new SleepGate(new FakeClock());
    gate.cancelSleep(web);
    expect(gate.close(web)?.granted).toBe(true);
  });
});
