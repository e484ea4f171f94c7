import { statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { isRunning } from "../../harness/processes.ts";
import { until } from "../../harness/until.ts";
import type { Fault } from "../fault.ts";
import { FaultStage } from "../fault-stage.ts";
import { type Moment, momentsOf } from "../moment.ts";
import { SmallDisk } from "../small-disk.ts";
import { struckName } from "../stage-plan.ts";
import { whyNotMount } from "../why-not-mount.ts";

/** No room for another line of the log or another state file. What serves requests needs neither. */
export const fullDisk: Fault = {
  name: "full-disk",
  title: "disk full under log and state",
  whyNot: whyNotMount,
  async run(trials) {
    const disk = new SmallDisk();
    const log = join(disk.folder, "host.log");
    try {
      const plan = { stateDir: join(disk.folder, "state"), launch: { outputFile: log } };
      return await FaultStage.play(plan, async (stage) => {
        for (const moment of momentsOf(trials)) await strike(stage, disk, log, moment);
        await killOnFullDisk(stage, disk);
      });
    } finally {
      disk[Symbol.dispose]();
    }
  },
};

async function strike(stage: FaultStage, disk: SmallDisk, log: string, moment: Moment): Promise<void> {
  await moment.reach(stage);
  disk.fill();
  stage.countStrike();
  moment.leave(stage);
  await stage.recovered();
  stage.load.pause();
  await stage.host.untilState(struckName, "asleep"); // a sleep and a wake, each of which writes
  await stage.recovered();
  stage.load.resume();
  disk.free();
  truncateSync(log);
  await stage.recovered();
  await until("the log went on", () => statSync(log).size > 0);
}

/** The next host does not start where it could not remember what it starts, says so, and once there is room ends the orphans. */
async function killOnFullDisk(stage: FaultStage, disk: SmallDisk): Promise<void> {
  const { host } = stage;
  await stage.recovered();
  disk.fill();
  stage.countStrike();
  await stage.recovered();
  stage.pauseAll();
  stage.noteEndOfHost();
  host.signal("SIGKILL");
  await host.ended();
  const orphans = host.children.map(({ pid }) => pid);
  disk.fill(); // what the host itself has removed since is room again
  const refusal = await host.restart().then(
    () => undefined,
    (error: unknown) => String(error),
  );
  if (refusal === undefined) throw new Error("a host started without room for its state file");
  if (!refusal.includes("ENOSPC")) throw new Error(`the host did not say that the disk is full: ${refusal}`);
  disk.free();
  await host.restart();
  await until("the orphans were ended", () => !orphans.some(isRunning));
  stage.resumeAll();
  await stage.recovered();
}
