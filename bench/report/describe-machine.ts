import { cpus, loadavg } from "node:os";

/** Node, processors and load before a run, in one line. */
export function describeMachine(): string {
  const [load = 0] = loadavg();
  const busy = load > 0.5 * cpus().length ? " (BUSY: times mean little, ratios something)" : "";
  return `Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? "CPU"}, load ${load.toFixed(1)} before${busy}`;
}
