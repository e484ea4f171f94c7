import Table from "cli-table3";
import type { ResourceWatch } from "./resource-watch.ts";
import { median, type ServiceTally } from "./service-tally.ts";

const plain = { head: [], border: [] };

/** How things stand, one row per service. */
export function liveTable(tallies: readonly ServiceTally[], watch: ResourceWatch): string {
  const table = new Table({
    head: ["service", "is", "state", "requests", "cold", "lost", "sleeps"],
    style: plain,
  });
  for (const { service, requests, cold, lost, sleeps } of tallies) {
    table.push([service.name, service.title, watch.stateOf(service.name), requests, cold, lost, sleeps]);
  }
  return table.toString();
}

/** What came of it, one row per service. */
export function finalTable(tallies: readonly ServiceTally[], watch: ResourceWatch): string {
  const table = new Table({
    head: ["service", "is", "requests", "cold", "warm", "lost", "own start", "added cold", "added warm", "asleep"],
    style: plain,
    colAligns: ["left", "left", ...Array.from({ length: 8 }, () => "right" as const)],
  });
  for (const tally of tallies) table.push(finalRow(tally, watch.shareAsleep(tally.service.name)));
  return table.toString();
}

function finalRow(tally: ServiceTally, shareAsleep: number): (string | number)[] {
  const { service, pairs } = tally;
  return [
    service.name,
    service.title,
    tally.requests,
    tally.cold,
    tally.warm,
    tally.lost,
    `${median(pairs.map(({ ownStartMs }) => ownStartMs)).toFixed(0)} ms`,
    signed(median(pairs.map(({ coldMs, ownStartMs }) => coldMs - ownStartMs)), 0),
    signed(median(pairs.map(({ warmMs, ownWarmMs }) => warmMs - ownWarmMs)), 1),
    `${(shareAsleep * 100).toFixed(0)} %`,
  ];
}

function signed(ms: number, digits: number): string {
  return `${ms < 0 ? "" : "+"}${ms.toFixed(digits)} ms`;
}

/** What the columns mean. */
export const legend = `own start   from starting the server by hand, without Dormouse, to its first answer
added cold  what the first request to the sleeping service took beyond a start by hand right before
added warm  what a request took more through Dormouse than straight to the server
asleep      share of the time that its process did not run
All times are medians of the rounds. A conversation of two WebSockets counts as one request.`;
