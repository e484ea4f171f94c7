import { percentile } from "../measures/statistics.ts";
import { asMs, asRatio } from "../report/format-number.ts";
import type { DockerFigures } from "./measure-docker.ts";

/** The figures of a run as a Markdown table. */
export function dockerTable({ alone, woken }: DockerFigures): string {
  const ratios = woken.map(({ wholeMs }, round) => wholeMs / (alone[round]?.wholeMs ?? Number.NaN));
  const added = woken.map(({ wholeMs }, round) => wholeMs - (alone[round]?.wholeMs ?? Number.NaN));
  const names = [...new Set(woken.flatMap((wake) => Object.keys(wake.phases)))];
  const rest = woken.map(({ phases, wholeMs }) => wholeMs - (phases["held"] ?? 0));
  return [
    "| | median | 95th percentile |",
    "| --- | --- | --- |",
    row(
      "`docker start` alone: the call",
      alone.map(({ startMs }) => startMs),
    ),
    row(
      "… its answer until the first accepted connection",
      alone.map(({ listenMs }) => listenMs),
    ),
    row(
      "… **the call until the first byte**",
      alone.map(({ wholeMs }) => wholeMs),
    ),
    ...names.map((name) =>
      row(
        `a wake: \`${name}\``,
        woken.map((wake) => wake.phases[name] ?? 0),
      ),
    ),
    row("… outside of `held`: the request and its answer", rest),
    row(
      "… **the request until the first byte**",
      woken.map(({ wholeMs }) => wholeMs),
    ),
    row("a wake less `docker start` of the same round", added),
    row("**a wake over `docker start` of the same round**", ratios, asRatio),
  ].join("\n");
}

function row(what: string, numbers: readonly number[], show: (value: number) => string = asMs): string {
  return `| ${what} | ${show(percentile(numbers, 0.5))} | ${show(percentile(numbers, 0.95))} |`;
}
