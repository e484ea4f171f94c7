import type { DormouseConfig } from "@dormouse/core";
import type { Host } from "../host/host.ts";
import { type LineSink, type Log, openLog } from "../log/open-log.ts";
import { hasColor, type Terminal } from "../terminal.ts";
import type { LiveModel } from "../view/live-view.ts";
import type { ServeOptions } from "./serve-options.ts";

/** Where a running host writes: log lines, and on a terminal a live view below them. */
export interface ServeOutput extends Disposable {
  readonly log: Log;
  /** Begins the live view, where there is one. */
  show(host: Host): Promise<void>;
}

export async function openServeOutput(
  config: DormouseConfig["log"],
  options: ServeOptions,
  terminal: Terminal,
): Promise<ServeOutput> {
  const { stdout, environment, clock } = terminal;
  const color = hasColor(stdout, environment);
  const isLive = stdout.isTTY && environment["TERM"] !== "dumb" && options.live !== false && config.format !== "json";
  let view: (LineSink & Disposable) | undefined;
  const sink: LineSink = { write: (line) => void (view === undefined ? stdout.write(line) : view.write(line)) };
  const log = await openLog({ config, terminal: stdout.isTTY, color, ...(isLive && { sink }) });
  return {
    log,
    show: async (host) => {
      if (!isLive) return;
      const { LiveView } = await import("../view/live-view.ts");
      view = new LiveView({ screen: stdout, color, clock, read: () => toModel(host) });
    },
    [Symbol.dispose]: () => {
      view?.[Symbol.dispose]();
      view = undefined;
      log.flush();
    },
  };
}

function toModel({ view, addresses }: Host): LiveModel {
  // For the next drawing: this one does not wait.
  void view.refresh();
  const { role, resources, config, unlisted } = view.list();
  const requests = role === "autoscaler" ? "" : `  requests ${addresses.dlx.join(", ")}`;
  const header = `dormouse${role === "up" ? "" : ` ${role}`}${requests}  admin ${addresses.admin}`;
  const warning = config.refused?.problems[0] ?? unlisted.find(({ message }) => message !== undefined)?.message;
  return { role, header, resources, ...(warning !== undefined && { warning }) };
}
