import type { SimulatedProcess } from "../engine/simulated-process.ts";
import type { AutoscalerProcess } from "../parts/autoscaler-process.ts";
import type { DlxProcess } from "../parts/dlx-process.ts";
import type { Deed } from "../scenario/act.ts";
import type { World } from "./world.ts";

/** How long a stop of a DLX waits for its requests: longer than any of them may take. */
const drainLimitMs = 120_000;

/** Does a deed to the world, where there is anything to do it to. */
export function perform(world: World, deed: Deed): void {
  world.note("the world", JSON.stringify(deed));
  switch (deed.do) {
    case "request":
      for (const plan of deed.plans) world.clients.send(plan, { which: deed.which });
      break;
    case "kill-dlx":
    case "kill-autoscaler":
      kill(world, deed.do, deed.which);
      break;
    case "drain-dlx":
      if (world.openDlxs.length > 1) drain(world, nth(world.openDlxs, deed.which));
      break;
    case "join-dlx":
      if (world.scenario.hosts === "many" && world.liveDlxs.length < mostDlxs) world.background(world.openDlx());
      break;
    case "rest-dlx":
      rest(world, nth(world.liveDlxs, deed.which)?.process, deed.ms);
      break;
    case "rest-autoscaler":
      rest(world, nth(world.liveAutoscalers, deed.which)?.process, deed.ms);
      break;
    case "switch-lead":
      switchLead(world, nth(world.liveAutoscalers, deed.which));
      break;
    case "break-watches":
      for (const part of [...world.liveDlxs, ...world.liveAutoscalers]) part.breakWatches();
      break;
    case "jump-clock":
      nth([...world.liveDlxs, ...world.liveAutoscalers], deed.which)?.process.jumpWallClock(deed.ms);
      break;
    case "scale-by-hand":
      byHand(world, deed.resource, deed.to);
      break;
    case "hpa":
      if (world.platform.resource({ name: deed.resource }).desired > 0)
        world.platform.resource({ name: deed.resource }).scale(deed.to, "hpa");
      break;
    case "edit-policy":
      world.platform.resource({ name: deed.resource }).changePolicy({ maxConcurrency: 3 });
      break;
    case "crash":
      world.platform.resource({ name: deed.resource }).crash();
      break;
    case "break":
      world.platform.resource({ name: deed.resource }).break();
      break;
    case "mend":
      world.platform.resource({ name: deed.resource }).mend();
      break;
    case "gitops":
      world.gitops.set(deed.resource, world.clock.monotonic() + deed.ms);
      break;
    case "tamper":
      world.platform.resource({ name: deed.resource }).service?.tamper(deed.what);
      break;
    case "metrics":
      setMetrics(world, deed.fault);
      break;
    case "ask-sleep":
      nth(world.liveAutoscalers, deed.which)?.askForSleep(world.ref(deed.resource));
      break;
    case "ask-wake":
      askForWake(nth(world.liveDlxs, deed.which), world, deed.resource);
      break;
    case "late-fence":
      lateFence(nth(world.liveDlxs, deed.which), world, deed.resource);
      break;
  }
}

const mostDlxs = 4;

function nth<Item>(items: readonly Item[], which: number): Item | undefined {
  return items.length === 0 ? undefined : items[which % items.length];
}

/** A process dies and another one takes its place a while later. */
function kill(world: World, what: "kill-dlx" | "kill-autoscaler", which: number): void {
  const isOne = world.scenario.hosts === "one";
  const dlx = isOne || what === "kill-dlx" ? nth(world.liveDlxs, which) : undefined;
  const autoscaler = isOne || what === "kill-autoscaler" ? nth(world.liveAutoscalers, which) : undefined;
  autoscaler?.kill();
  if (dlx !== undefined) killDlx(world, dlx);
  if (dlx === undefined && autoscaler === undefined) return;
  const name = (dlx ?? autoscaler)?.process.name ?? "";
  const restartMs = world.random(`${name} restarts`).between(0, 2_500);
  world.clock.setTimer(restartMs, () => world.background(reopen(world, dlx !== undefined)));
}

function reopen(world: World, isDlx: boolean): Promise<unknown> {
  if (world.scenario.hosts === "one") return world.openHost();
  return isDlx ? world.openDlx() : world.openAutoscaler();
}

function killDlx(world: World, dlx: DlxProcess): void {
  for (const request of dlx.kill())
    if (!request.ended) world.ledger.end(request, { kind: "cut", cause: `${dlx.process.name} died` });
  world.unlist(dlx, true);
}

/** SIGTERM: it stays listed until it ends. */
function drain(world: World, dlx: DlxProcess | undefined): void {
  if (dlx === undefined || world.scenario.hosts === "one") return;
  world.background(
    (async () => {
      await dlx.drain(drainLimitMs);
      if (dlx.process.isDead) return;
      if (dlx.active > 0) world.violate("P1", `${dlx.process.name} ended with ${String(dlx.active)} requests`);
      await dlx.close();
      dlx.process.kill();
      world.unlist(dlx, false);
      world.note(dlx.process.name, "ended after its drain");
    })(),
  );
}

function rest(world: World, process: SimulatedProcess | undefined, ms: number): void {
  if (process === undefined) return;
  process.rest();
  world.clock.setTimer(ms, () => {
    process.goOn();
    world.note(process.name, "goes on");
  });
}

/** A lease runs out and another one is given, a while later or a while before. */
function switchLead(world: World, autoscaler: AutoscalerProcess | undefined): void {
  if (autoscaler === undefined) return;
  const { lead } = autoscaler;
  lead.isGiven = !lead.isGiven;
  const others = world.liveAutoscalers.filter((each) => each !== autoscaler);
  const pass = (): void => {
    for (const other of others) other.lead.isGiven = !lead.isGiven || world.scenario.allLead;
  };
  world.clock.setTimer(world.random(`lead at ${String(world.clock.monotonic())}`).between(0, 2_000), pass);
}

function byHand(world: World, name: string, to: number): void {
  const resource = world.platform.resource({ name });
  resource.disturbedAt = Math.max(resource.disturbedAt, world.clock.monotonic());
  resource.scale(to, "person");
}

/** Numbers that are wrong may keep awake; that they put to sleep is safe only where they are not all that there is. */
function setMetrics(world: World, fault: (Deed & { readonly do: "metrics" })["fault"]): void {
  const isEvidence = world.scenario.capabilities.routing;
  if (fault === "none") world.metrics.fault = undefined;
  else world.metrics.fault = fault === "lies" && isEvidence ? "stopped" : fault;
}

/** An operator wakes it, and does not wait for it. */
function askForWake(dlx: DlxProcess | undefined, world: World, name: string): void {
  dlx?.process.run(() => {
    const reason = { by: "operator", reason: "to be ready" };
    dlx.keeper
      .gate(world.platform.resource({ name }).key)
      ?.demand(reason)
      .catch(() => {});
  });
}

function lateFence(dlx: DlxProcess | undefined, world: World, name: string): void {
  if (dlx === undefined) return;
  dlx.process.run(() => void dlx.peer.fence(world.ref(name), "late"));
}
