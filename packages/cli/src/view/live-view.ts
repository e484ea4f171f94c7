import type { Clock, Milliseconds, Timer } from "@dormouse/core";
import { createLogUpdate } from "log-update";
import type { HostRole } from "../host/host-role.ts";
import type { ResourceReport } from "../admin/resource-report.ts";
import { createPaint, type Paint } from "./paint.ts";
import { renderResources } from "./render-resources.ts";

/** Time between two drawings: quick enough to watch, slow enough to cost nothing. */
const refreshMs: Milliseconds = 250;
/** Rest after a drawing as a multiple of what it took, so that thousands of resources do not cost a tenth of a core. */
const leastRest = 20;
/** Log lines kept for one drawing; more are dropped and counted. */
const mostLines = 500;
/** Lines of the screen that stay free: the header, blanks and the footer. */
const otherLines = 5;

/** What a live view shows. */
export interface LiveModel {
  /** One line above the table. */
  readonly header: string;
  /** Something an operator should know, such as a refused configuration. */
  readonly warning?: string;
  readonly resources: readonly ResourceReport[];
  /** Which parts the host runs; left out: all. */
  readonly role?: HostRole;
}

/** The part of a terminal that is used. */
interface Screen {
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): boolean;
  on(event: "resize", listener: () => void): unknown;
  off(event: "resize", listener: () => void): unknown;
}

export interface LiveViewOptions {
  readonly screen: Screen & NodeJS.WritableStream;
  readonly color: boolean;
  readonly clock: Clock;
  readonly read: () => LiveModel;
}

/** A table that is kept fresh at the bottom of a terminal, with log lines above it. */
export class LiveView implements Disposable {
  readonly #options: LiveViewOptions;
  readonly #paint: Paint;
  readonly #update: ReturnType<typeof createLogUpdate>;
  #lines: string[] = [];
  #dropped = 0;
  #timer: Timer | undefined;
  readonly #onResize = (): void => {
    this.#update.clear();
    this.#draw();
  };

  constructor(options: LiveViewOptions) {
    this.#options = options;
    this.#paint = createPaint(options.color);
    this.#update = createLogUpdate(options.screen);
    options.screen.on("resize", this.#onResize);
    this.#refresh();
  }

  /** Puts a line above the table with the next drawing. */
  write(line: string): void {
    if (this.#lines.length < mostLines) this.#lines.push(line);
    else this.#dropped += 1;
  }

  /** Draws once more and gives the terminal back. */
  [Symbol.dispose](): void {
    this.#timer?.cancel();
    this.#options.screen.off("resize", this.#onResize);
    this.#draw();
    this.#update.done();
  }

  #refresh(): void {
    const { clock } = this.#options;
    const before = clock.monotonic();
    this.#draw();
    const waitMs = Math.max(refreshMs, (clock.monotonic() - before) * leastRest);
    this.#timer = clock.setTimer(waitMs, () => this.#refresh(), { unref: true });
  }

  #draw(): void {
    if (this.#dropped > 0) this.#lines.push(`… ${this.#dropped} more lines`);
    if (this.#lines.length > 0) this.#update.persist(this.#lines.map((line) => line.replace(/\n$/, "")).join("\n"));
    this.#lines = [];
    this.#dropped = 0;
    const { screen, clock, read } = this.#options;
    const size = { width: screen.columns ?? 80, height: screen.rows ?? 24 };
    this.#update(renderLive(read(), { ...size, now: clock.now(), paint: this.#paint }));
  }
}

export interface RenderLiveOptions {
  /** Epoch ms. */
  readonly now: number;
  readonly width: number;
  readonly height: number;
  readonly paint: Paint;
}

/** One drawing of a live view; never wider or higher than the screen. The resources in use come first where not all fit. */
export function renderLive(
  { header, warning, resources, role }: LiveModel,
  { now, width, height, paint }: RenderLiveOptions,
): string {
  const room = Math.max(1, height - otherLines - (warning === undefined ? 0 : 1));
  const shown =
    resources.length <= room
      ? resources
      : resources.toSorted((one, other) => importance(other) - importance(one)).slice(0, room);
  const hidden = resources.length - shown.length;
  return [
    "",
    paint("dim", cut(header, width)),
    ...(warning === undefined ? [] : [paint("red", cut(warning, width))]),
    renderResources(shown, { now, width, paint, ...(role !== undefined && { role }) }),
    paint("dim", cut(`${summary(resources)}${hidden === 0 ? "" : `, ${hidden} not shown`}`, width)),
  ].join("\n");
}

const weights = { failed: 4, waking: 3, sleeping: 2, awake: 1, asleep: 0 } as const;

function importance({ state, held, inFlight }: ResourceReport): number {
  return (held + inFlight > 0 ? 10 : 0) + weights[state];
}

function summary(resources: readonly ResourceReport[]): string {
  if (resources.length === 0) return "no resources yet";
  const counts = Map.groupBy(resources, ({ state }) => state);
  return ["awake", "waking", "sleeping", "asleep", "failed"]
    .flatMap((state) => {
      const count = counts.get(state as ResourceReport["state"])?.length ?? 0;
      return count === 0 ? [] : [`${count} ${state}`];
    })
    .join(", ");
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}
