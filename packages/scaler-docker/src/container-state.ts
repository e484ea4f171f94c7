import type { InspectedContainer } from "./docker-answers.ts";

/** Its program runs, or the engine is about to start it again by itself. */
export function isUp({ State }: InspectedContainer): boolean {
  return State.Status === "running" || State.Status === "restarting";
}

/** Its program runs and is not paused. */
export function isRunning({ State }: InspectedContainer): boolean {
  return State.Status === "running";
}

export function isPaused({ State }: InspectedContainer): boolean {
  return State.Status === "paused";
}

/** It can be started. */
export function isDown({ State }: InspectedContainer): boolean {
  return State.Status === "exited" || State.Status === "created";
}

/** It ran once and has ended. */
export function hasEnded({ State }: InspectedContainer): boolean {
  return State.Status === "exited";
}

/** It runs, and its health check agrees where it has one. */
export function isReady(container: InspectedContainer): boolean {
  const health = container.State.Health?.Status ?? "";
  return isRunning(container) && (health === "" || health === "none" || health === "healthy");
}

/**
 * All that somebody may change about a container while it is there: limits, restart policy, name, networks. What comes
 * and goes with a run is left out, such as addresses.
 */
export function shapeOf({ Name, Config, HostConfig, NetworkSettings }: InspectedContainer): string {
  const networks = Object.entries(NetworkSettings.Networks)
    .map(([name, { Aliases, IPAMConfig }]) => [name, Aliases.toSorted(), IPAMConfig ?? null] as const)
    .toSorted(([one], [other]) => (one < other ? -1 : 1));
  return JSON.stringify([Name, Config, HostConfig, networks]);
}

/** Epoch ms of a time of the engine's; 0 where there is none. */
export function timeOf(text: string): number {
  const time = Date.parse(text);
  // The engine writes the year 1 for never.
  return Number.isFinite(time) && time > 0 ? time : 0;
}
