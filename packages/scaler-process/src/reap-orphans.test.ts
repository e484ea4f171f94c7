import { describe, expect, it } from "vitest";
import type { StateRecord } from "./orphan-record.ts";
import type { ProcessEntry } from "./process-table.ts";
import { orphanFinder } from "./reap-orphans.ts";

const record: StateRecord = {
  format: 1,
  scope: "here",
  machine: "here",
  instance: "6f1c4d8e-4b7e-4a53-9e0a-0c8f3ad5f9b1",
  owner: { pid: 10, started: "1" },
  children: [{ pid: 100, started: "5", resource: "local/default/a", stopSignal: "SIGTERM", stopGraceMs: 1_000 }],
};

const entry = (pid: number, group: number, started: string, mark?: string): ProcessEntry => ({
  pid,
  group,
  started,
  mark,
});

const leader = entry(100, 100, "5");
const member = entry(101, 100, "6");
const stranger = entry(200, 200, "7");

describe("orphans", () => {
  it("are the recorded children, their groups, and all with the mark", () => {
    const marked = entry(300, 300, "8", `${record.instance}.4`);
    expect(orphanFinder(record)([leader, member, stranger, marked])).toEqual([leader, member, marked]);
  });

  it("are a group's members also after its leader has gone, but not who has its number later", () => {
    const find = orphanFinder(record);
    find([leader, member]);
    expect(find([member, stranger])).toEqual([member]);
    expect(find([stranger])).toEqual([]);
    expect(find([entry(102, 100, "9"), stranger])).toEqual([]);
  });

  it("are not in a group whose leader only has the recorded pid", () => {
    expect(orphanFinder(record)([entry(100, 100, "6"), member])).toEqual([]);
  });

  it("are not marked by an id that only begins alike", () => {
    expect(orphanFinder(record)([entry(300, 300, "8", `${record.instance}0.4`), entry(301, 301, "8", "")])).toEqual([]);
  });

  it("are never this process", () => {
    expect(orphanFinder(record)([entry(process.pid, 100, "5", `${record.instance}.1`)])).toEqual([]);
  });
});
